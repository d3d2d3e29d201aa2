//! German.

use writ_model::{Author, Language};

use super::words::{Failure, FirstUse, Note, Offered, Within, Words};

pub(super) static WORDS: Words = Words {
    language: Language::De,
    not_sent: "Ihre Nachricht wurde nicht gesendet.",
    sender: "(Hier spricht {organisation}, nicht die KI.)",
    not_ours: "[Das hat {service} geschrieben, nicht {organisation}.]",
    found: "Sie enthält offenbar {found}. Das darf so nicht an {service} gehen",
    not_allowed: "Unsere Richtlinie lässt diese Nutzung von {service} nicht zu",
    private_account: "Sie sind bei {service} mit einem privaten Konto angemeldet. Bitte nehmen Sie hier Ihr dienstliches Konto",
    names_disagree: "Die Namen in dieser Anfrage stimmen nicht überein. Wohin sie ginge, ist nicht sicher",
    malformed: "Sie hat keine Form, die wir prüfen können",
    unreadable: "Wir konnten sie nicht ganz lesen und deshalb nicht prüfen",
    failed: "Unsere eigene Prüfung ist ausgefallen, deshalb ging nichts hinaus",
    rule: "(Regel {number}, {title})",
    choices: "Was Sie jetzt tun können",
    without_details: Offered {
        name: "Ohne diese Angaben senden",
        then: "sie werden durch Platzhalter ersetzt, und Ihr Bildschirm zeigt die Antwort mit den echten Angaben.",
    },
    reason: Offered {
        name: "Sagen, wozu es nötig ist",
        then: "ein Satz, der aufgezeichnet wird. Danach bitte noch einmal senden.",
    },
    redirect: Offered { name: "In {service} weitermachen", then: "dort ist es freigegeben. Ihr Text kommt mit." },
    redirect_alone: Offered { name: "In {service} weitermachen", then: "dort ist es freigegeben." },
    change: Offered { name: "Selbst ändern", then: "lassen Sie die Angaben weg und senden Sie noch einmal." },
    change_below: Offered { name: "Selbst ändern", then: "Ihr Text steht unten. Es gibt ihn nur in diesem Fenster." },
    exception: Offered {
        name: "Das muss trotzdem hinaus",
        then: "bitten Sie um eine Ausnahme. Wer für die Regel zuständig ist oder eine Vertretung antwortet{within}.",
    },
    vetting: Offered { name: "{service} prüfen lassen", then: "wir sehen nach, wie dort mit Daten umgegangen wird." },
    mistake: Offered {
        name: "Ja, das war ein Irrtum",
        then: "Sie entscheiden, ob jemand die markierten Wörter sehen darf. Ein Mensch antwortet{within}.",
    },
    within: Within {
        one_hour: "innerhalb einer Stunde",
        hours: "innerhalb von {number} Stunden",
        days: "innerhalb von {number} Tagen",
    },
    wrong: "Liegen wir falsch?",
    your_text: "Ihr Text",
    recorded: "Was aufgezeichnet wird:",
    recorded_what: "Zeit, Werkzeug, Regel und Art der Daten, unter einem Code statt Ihrem Namen. Nicht Ihr Text.",
    recorded_protected: "Zeit und Werkzeug. Nichts über Sie, und nicht Ihr Text.",
    two_people: "Um es mit Ihnen zu verbinden, müssen zwei Personen zustimmen.",
    told: "Um es mit Ihnen zu verbinden, müssen zwei Personen zustimmen, und Sie erfahren davon.",
    no_consequences: "Diese Nachricht allein hat keine Folgen für Sie.",
    my_record: "Meine Einträge ansehen",
    code: "Code {code}",
    help_desk: "Hilfe unter {help_desk}",
    note: Note {
        sender: "Hinweis von {organisation} (nicht von {service}).",
        sent: "Ihre Nachricht wurde gesendet.",
        not_again_today: "Heute sehen Sie das nicht noch einmal.",
    },
    first_use: FirstUse {
        title: "Bevor Sie {service} hier nutzen",
        nothing_sent: "Es wurde noch nichts gesendet.",
        who: "{organisation} prüft, was an KI-Werkzeuge geht. Das macht ein Programm; niemand liest mit.",
        what: "Es sieht an, was Sie an {service} senden, und die Antworten.",
        why: "So bleiben persönliche Daten, Schlüssel und Geheimnisse bei uns.",
        kept: "Gespeichert werden Zeit, Werkzeug, Regel und Art der Daten, unter einem Code statt Ihrem Namen. \
               Nicht Ihr Text.",
        private_way: "Für Privates nehmen Sie bitte Ihr eigenes Gerät oder das Gästenetz: dort sehen wir nicht hin.",
        more: "Wie das geht und wer was sehen kann",
        understood: "Verstanden",
    },
    failure: Failure {
        title: "{service} hat nicht geantwortet",
        nothing_sent: "Ihre Nachricht wurde nicht gesendet.",
        unreachable: "{service} ist nicht erreichbar.",
        timeout: "{service} hat nicht rechtzeitig geantwortet.",
        broken: "{service} hat die Antwort abgebrochen.",
        expired: "Das Zertifikat von {service} ist nicht mehr oder noch nicht gültig. Wer antwortet, ist nicht sicher.",
        wrong_name: "Das Zertifikat dort gilt nicht für diesen Namen. Wer antwortet, ist nicht sicher.",
        unknown_issuer: "Wer das Zertifikat dort ausgestellt hat, wissen wir nicht. Wer antwortet, ist nicht sicher.",
        certificate: "Das Zertifikat dort hält nicht stand. Wer antwortet, ist nicht sicher.",
        address: "Der Name führt zu einer Adresse in unserem eigenen Netz, die auf diesem Weg nicht erreichbar ist.",
        again: "Bitte versuchen Sie es später noch einmal. Wenn es so bleibt, kann die Hilfe nachsehen.",
    },
    and: "und",
    more: "{count} weitere",
    in_place: "{thing} {place}",
    place,
    thing,
};

fn place(author: Author) -> &'static str {
    match author {
        Author::System | Author::Developer => "in den Anweisungen",
        Author::User => "in der Nachricht",
        Author::Assistant => "in einer früheren Antwort",
        Author::Tool => "im Ergebnis eines Werkzeugs",
        Author::ToolDefinition => "in der Beschreibung eines Werkzeugs",
        Author::Metadata => "in einem Feld neben der Nachricht",
        Author::Unknown => "in der Anfrage",
    }
}

fn thing(data_type: &str) -> &'static str {
    match data_type {
        "CREDIT_CARD" => "eine Kartennummer",
        "IBAN" | "BANK_ACCOUNT" => "eine Kontonummer",
        "US_SSN" => "eine Sozialversicherungsnummer",
        "EMAIL" => "eine E-Mail-Adresse",
        "PHONE" => "eine Telefonnummer",
        "PERSON" => "den Namen einer Person",
        "IP_ADDRESS" => "eine Netzadresse",
        "DATE_OF_BIRTH" => "ein Geburtsdatum",
        "STREET_ADDRESS" => "eine Anschrift",
        "MEDICAL_RECORD_NUMBER" => "eine Patientennummer",
        "HEALTH_INSURANCE_ID" => "eine Versichertennummer",
        "HEALTH_CONDITION" | "MEDICATION" | "PROCEDURE" => "Angaben zur Gesundheit einer Person",
        "API_KEY" | "API_SECRET" | "AUTH_TOKEN" => "einen Zugangsschlüssel",
        "PASSWORD" => "ein Passwort",
        "JWT" => "ein Anmelde-Token",
        "PRIVATE_KEY" => "einen privaten Schlüssel",
        "SOURCE_CODE" | "CONFIG_MARKUP" => "Programmcode",
        "ORGANISATION_TERM" => "einen unserer vertraulichen Begriffe",
        _ => "eine vertrauliche Angabe",
    }
}
