//! The words that only a stop's page has, in four languages: buttons, labels, what was done. What it shares with messages
//! in chats comes from [`writ_engine::voice::Phrases`]. `{tool}` stands for the service, `{found}` for what was found,
//! `{other}` for another service.

use writ_base::Moment;
use writ_model::Language;

/// The words of the page in one language.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) not_sent_yet: &'static str,
    pub(crate) contains: &'static str,
    pub(crate) not_allowed: &'static str,
    pub(crate) not_read: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) and: &'static str,
    pub(crate) without_button: &'static str,
    pub(crate) redirect_button: &'static str,
    pub(crate) carried: &'static str,
    pub(crate) your_text: &'static str,
    pub(crate) text_note: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) reason_text: &'static str,
    pub(crate) reason_label: &'static str,
    pub(crate) reason_button: &'static str,
    pub(crate) exception_label: &'static str,
    pub(crate) exception_button: &'static str,
    pub(crate) vetting_text: &'static str,
    pub(crate) vetting_label: &'static str,
    pub(crate) vetting_button: &'static str,
    pub(crate) wrong_text: &'static str,
    pub(crate) marks: &'static str,
    pub(crate) answer_by: &'static str,
    pub(crate) code: &'static str,
    pub(crate) done_without: &'static str,
    pub(crate) done_reason: &'static str,
    pub(crate) done_exception: &'static str,
    pub(crate) done_vetting: &'static str,
    pub(crate) done_objection: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) too_short: &'static str,
}

/// The words in a language.
pub(crate) const fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::De => &DE,
        Language::Fr => &FR,
        Language::Es => &ES,
    }
}

static EN: Words = Words {
    not_sent_yet: "Your message was not sent yet",
    contains: "It seems to contain **{found}**, which must not go to {tool} this way.",
    not_allowed: "Our rules do not allow this use of {tool}.",
    not_read: "It could not be checked, and what cannot be checked does not leave.",
    rule: "Rule",
    and: "and",
    without_button: "Leave the details out",
    redirect_button: "Open {other}",
    carried: "Your text comes along, in this window only.",
    your_text: "Your text",
    text_note: "Your text exists only in your own window. We did not keep it.",
    copy: "Copy the text",
    copied: "Copied",
    reason_text: "One sentence is enough. It is recorded, and then you can send the message again.",
    reason_label: "Your reason",
    reason_button: "Give the reason",
    exception_label: "What you need it for, without the details themselves",
    exception_button: "Ask for an exception",
    vetting_text: "Say what you would use it for. Whoever looks after our tools answers.",
    vetting_label: "What you would use it for",
    vetting_button: "Ask for a check",
    wrong_text: "One click is enough, and a person looks at it.",
    marks: "A reviewer may ask me to see the marked words",
    answer_by: "Answer by",
    code: "Code",
    done_without: "Done. Send the same message again within an hour: it goes without those details.",
    done_reason: "Thank you. Send the same message again within an hour: it goes on.",
    done_exception: "Your request is on its way. The answer will be on “My record”.",
    done_vetting: "Your request is on its way. The answer will be on “My record”.",
    done_objection: "Thank you for telling us. A person looks at it; the answer will be on “My record”.",
    failed: "That is not possible any more. Send the message again and choose then.",
    too_short: "One full sentence, please.",
};

static DE: Words = Words {
    not_sent_yet: "Ihre Nachricht wurde noch nicht gesendet",
    contains: "Sie scheint **{found}** zu enthalten. Das darf so nicht an {tool} gehen.",
    not_allowed: "Unsere Regeln erlauben diese Nutzung von {tool} nicht.",
    not_read: "Sie konnte nicht geprüft werden, und was nicht geprüft werden kann, geht nicht hinaus.",
    rule: "Regel",
    and: "und",
    without_button: "Angaben weglassen",
    redirect_button: "{other} öffnen",
    carried: "Ihr Text kommt mit, nur in diesem Fenster.",
    your_text: "Ihr Text",
    text_note: "Ihr Text ist nur in Ihrem eigenen Fenster. Wir haben ihn nicht behalten.",
    copy: "Text kopieren",
    copied: "Kopiert",
    reason_text: "Ein Satz genügt. Er wird festgehalten, danach können Sie die Nachricht noch einmal senden.",
    reason_label: "Ihr Grund",
    reason_button: "Grund angeben",
    exception_label: "Wofür Sie es brauchen, ohne die Angaben selbst",
    exception_button: "Um eine Ausnahme bitten",
    vetting_text: "Sagen Sie, wofür Sie es nutzen würden. Wer unsere Werkzeuge betreut, antwortet.",
    vetting_label: "Wofür Sie es nutzen würden",
    vetting_button: "Um Prüfung bitten",
    wrong_text: "Ein Klick genügt, und ein Mensch sieht es sich an.",
    marks: "Wer es prüft, darf mich nach den markierten Wörtern fragen",
    answer_by: "Antwort bis",
    code: "Code",
    done_without: "Erledigt. Senden Sie dieselbe Nachricht innerhalb einer Stunde noch einmal: Sie geht ohne diese Angaben.",
    done_reason: "Danke. Senden Sie dieselbe Nachricht innerhalb einer Stunde noch einmal: Sie geht weiter.",
    done_exception: "Ihre Bitte ist unterwegs. Die Antwort steht dann unter „Meine Einträge“.",
    done_vetting: "Ihre Bitte ist unterwegs. Die Antwort steht dann unter „Meine Einträge“.",
    done_objection: "Danke für den Hinweis. Ein Mensch sieht es sich an; die Antwort steht dann unter „Meine Einträge“.",
    failed: "Das geht nicht mehr. Senden Sie die Nachricht noch einmal und wählen Sie dann.",
    too_short: "Bitte einen ganzen Satz.",
};

static FR: Words = Words {
    not_sent_yet: "Votre message n'a pas encore été envoyé",
    contains: "Il semble contenir **{found}**, qui ne doit pas aller ainsi à {tool}.",
    not_allowed: "Nos règles ne permettent pas cet usage de {tool}.",
    not_read: "Il n'a pas pu être vérifié, et ce qui ne peut pas être vérifié ne sort pas.",
    rule: "Règle",
    and: "et",
    without_button: "Retirer les détails",
    redirect_button: "Ouvrir {other}",
    carried: "Votre texte vous suit, dans cette fenêtre seulement.",
    your_text: "Votre texte",
    text_note: "Votre texte n'existe que dans votre fenêtre. Nous ne l'avons pas gardé.",
    copy: "Copier le texte",
    copied: "Copié",
    reason_text: "Une phrase suffit. Elle est notée, puis vous pouvez renvoyer le message.",
    reason_label: "Votre raison",
    reason_button: "Donner la raison",
    exception_label: "Pourquoi vous en avez besoin, sans les détails eux-mêmes",
    exception_button: "Demander une exception",
    vetting_text: "Dites à quoi il vous servirait. Les responsables de nos outils répondent.",
    vetting_label: "À quoi il vous servirait",
    vetting_button: "Demander une vérification",
    wrong_text: "Un clic suffit, et une personne regarde.",
    marks: "La personne qui vérifie peut me demander les mots marqués",
    answer_by: "Réponse avant",
    code: "Code",
    done_without: "C'est fait. Renvoyez le même message dans l'heure : il part sans ces détails.",
    done_reason: "Merci. Renvoyez le même message dans l'heure : il part.",
    done_exception: "Votre demande est partie. La réponse sera dans « Mes données ».",
    done_vetting: "Votre demande est partie. La réponse sera dans « Mes données ».",
    done_objection: "Merci de nous l'avoir dit. Une personne regarde ; la réponse sera dans « Mes données ».",
    failed: "Ce n'est plus possible. Renvoyez le message et choisissez alors.",
    too_short: "Une phrase entière, s'il vous plaît.",
};

static ES: Words = Words {
    not_sent_yet: "Su mensaje todavía no se ha enviado",
    contains: "Parece contener **{found}**, que no debe ir así a {tool}.",
    not_allowed: "Nuestras reglas no permiten este uso de {tool}.",
    not_read: "No se ha podido revisar, y lo que no se puede revisar no sale.",
    rule: "Regla",
    and: "y",
    without_button: "Quitar los detalles",
    redirect_button: "Abrir {other}",
    carried: "Su texto va con usted, solo en esta ventana.",
    your_text: "Su texto",
    text_note: "Su texto existe solo en su ventana. No lo hemos guardado.",
    copy: "Copiar el texto",
    copied: "Copiado",
    reason_text: "Basta una frase. Queda anotada, y después puede enviar el mensaje otra vez.",
    reason_label: "Su motivo",
    reason_button: "Dar el motivo",
    exception_label: "Para qué lo necesita, sin los detalles mismos",
    exception_button: "Pedir una excepción",
    vetting_text: "Diga para qué la usaría. Responde quien cuida de nuestras herramientas.",
    vetting_label: "Para qué la usaría",
    vetting_button: "Pedir una revisión",
    wrong_text: "Basta un clic, y una persona lo mira.",
    marks: "Quien lo revise puede pedirme las palabras marcadas",
    answer_by: "Respuesta antes de",
    code: "Código",
    done_without: "Hecho. Envíe el mismo mensaje otra vez antes de una hora: va sin esos detalles.",
    done_reason: "Gracias. Envíe el mismo mensaje otra vez antes de una hora: sigue su camino.",
    done_exception: "Su petición está en camino. La respuesta estará en «Mi registro».",
    done_vetting: "Su petición está en camino. La respuesta estará en «Mi registro».",
    done_objection: "Gracias por decirlo. Una persona lo mira; la respuesta estará en «Mi registro».",
    failed: "Ya no es posible. Envíe el mensaje otra vez y elija entonces.",
    too_short: "Una frase entera, por favor.",
};

/// Kinds of data in a person's words, in the order of [`Language::ALL`].
const CLASSES: &[(&str, [&str; 4])] = &[
    ("contact", ["contact data", "Kontaktdaten", "des coordonnées", "datos de contacto"]),
    ("pii", ["personal data", "persönliche Daten", "des données personnelles", "datos personales"]),
    (
        "special-category",
        [
            "very personal information",
            "sehr persönliche Angaben",
            "des informations très personnelles",
            "información muy personal",
        ],
    ),
    (
        "phi",
        [
            "health information about a person",
            "Gesundheitsangaben zu einer Person",
            "des informations de santé sur une personne",
            "información de salud sobre una persona",
        ],
    ),
    ("payment", ["payment data", "Zahlungsdaten", "des données de paiement", "datos de pago"]),
    ("financial", ["financial plans", "Finanzplanung", "des plans financiers", "planes financieros"]),
    (
        "credentials",
        [
            "a password or key",
            "ein Passwort oder einen Schlüssel",
            "un mot de passe ou une clé",
            "una contraseña o clave",
        ],
    ),
    ("source-code", ["source code", "Quellcode", "du code source", "código fuente"]),
    ("trade-secret", ["a trade secret", "ein Geschäftsgeheimnis", "un secret d'affaires", "un secreto comercial"]),
    ("strategic", ["our plans", "unsere Pläne", "nos plans", "nuestros planes"]),
    ("privileged", ["legal advice", "Rechtsberatung", "des conseils juridiques", "asesoría legal"]),
    (
        "export-controlled",
        [
            "export-controlled data",
            "Daten unter Ausfuhrkontrolle",
            "des données sous contrôle d'exportation",
            "datos bajo control de exportación",
        ],
    ),
];

/// A time as it is written in a language (UTC).
pub(crate) fn time(moment: Moment, language: Language) -> String {
    let ((year, month, day), hour) = (moment.date(), crate::words::hour(moment));
    match language {
        Language::En => format!("{} UTC", crate::words::time(moment)),
        Language::De => format!("{day}.{month}.{year}, {hour} Uhr UTC"),
        Language::Fr | Language::Es => format!("{day:02}/{month:02}/{year}, {hour} UTC"),
    }
}

/// A kind of data in a person's words.
pub(crate) fn class(id: &str, language: Language) -> String {
    let place = Language::ALL.iter().position(|it| *it == language).unwrap_or(0);
    let known = CLASSES.iter().find(|(class, _)| *class == id).and_then(|(_, words)| words.get(place));
    known.map_or_else(|| id.replace('-', " "), |words| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_blames_and_every_sentence_is_short() {
        for language in Language::ALL {
            let all = format!("{:?}", words(*language));
            for word in ["violation", "Verstoß", "forbidden", "verboten", "interdit", "prohibid", "tried", "!"] {
                assert!(!all.contains(word), "{language}: {word}");
            }
            let longest = all.split(['.', ':', '"']).map(|sentence| sentence.split_whitespace().count()).max().unwrap();
            assert!(longest <= 26, "{language}: {longest} words");
        }
    }

    #[test]
    fn every_shipped_class_has_words() {
        for spec in writ_model::class::CLASSES {
            assert!(CLASSES.iter().any(|(class, _)| *class == spec.name), "{}", spec.name);
        }
        assert_eq!(class("phi", Language::De), "Gesundheitsangaben zu einer Person");
        assert_eq!(class("own-class", Language::Fr), "own class");
    }
}
