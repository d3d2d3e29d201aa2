//! The words of a stop's page in four languages. The first line says whether it was sent; one reason, then the choices,
//! best first; no blame. `{tool}` stands for the service, `{found}` for what was found, `{other}` for another service.

use writ_base::Moment;
use writ_model::Language;

/// The words of the page in one language.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) not_sent: &'static str,
    pub(crate) not_sent_yet: &'static str,
    pub(crate) contains: &'static str,
    pub(crate) not_allowed: &'static str,
    pub(crate) not_read: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) and: &'static str,
    pub(crate) what_now: &'static str,
    pub(crate) without_title: &'static str,
    pub(crate) without_text: &'static str,
    pub(crate) without_button: &'static str,
    pub(crate) redirect_title: &'static str,
    pub(crate) redirect_text: &'static str,
    pub(crate) redirect_button: &'static str,
    pub(crate) edit_title: &'static str,
    pub(crate) your_text: &'static str,
    pub(crate) text_note: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) reason_title: &'static str,
    pub(crate) reason_text: &'static str,
    pub(crate) reason_label: &'static str,
    pub(crate) reason_button: &'static str,
    pub(crate) exception_title: &'static str,
    pub(crate) exception_text: &'static str,
    pub(crate) exception_label: &'static str,
    pub(crate) exception_button: &'static str,
    pub(crate) vetting_title: &'static str,
    pub(crate) vetting_text: &'static str,
    pub(crate) vetting_label: &'static str,
    pub(crate) vetting_button: &'static str,
    pub(crate) wrong_title: &'static str,
    pub(crate) wrong_text: &'static str,
    pub(crate) wrong_button: &'static str,
    pub(crate) marks: &'static str,
    pub(crate) answer_by: &'static str,
    pub(crate) recorded_title: &'static str,
    pub(crate) recorded: &'static str,
    pub(crate) recorded_nobody: &'static str,
    pub(crate) two_people: &'static str,
    pub(crate) no_consequence: &'static str,
    pub(crate) my_record: &'static str,
    pub(crate) code: &'static str,
    pub(crate) help_desk: &'static str,
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
    not_sent: "Your message was not sent",
    not_sent_yet: "Your message was not sent yet",
    contains: "It seems to contain **{found}**, which must not go to {tool} this way.",
    not_allowed: "Our rules do not allow this use of {tool}.",
    not_read: "It could not be checked, and what cannot be checked does not leave.",
    rule: "Rule",
    and: "and",
    what_now: "What you can do now",
    without_title: "Send it without those details",
    without_text: "They become placeholders, and your screen shows the answer with the originals put back.",
    without_button: "Leave the details out",
    redirect_title: "Continue in {other}",
    redirect_text: "It is cleared for this. Your text comes along, in this window only.",
    redirect_button: "Open {other}",
    edit_title: "Change it yourself",
    your_text: "Your text",
    text_note: "Your text exists only in your own window. We did not keep it.",
    copy: "Copy the text",
    copied: "Copied",
    reason_title: "Say why it is needed",
    reason_text: "One sentence is enough. It is recorded, and then you can send the message again.",
    reason_label: "Your reason",
    reason_button: "Give the reason",
    exception_title: "I need this to go through",
    exception_text: "Ask for an exception. The rule's owner or a deputy answers.",
    exception_label: "What you need it for, without the details themselves",
    exception_button: "Ask for an exception",
    vetting_title: "Ask for this tool to be checked",
    vetting_text: "Say what you would use it for. Whoever looks after our tools answers.",
    vetting_label: "What you would use it for",
    vetting_button: "Ask for a check",
    wrong_title: "Are we wrong?",
    wrong_text: "One click is enough, and a person looks at it.",
    wrong_button: "Yes, this was a mistake",
    marks: "A reviewer may ask me to see the marked words",
    answer_by: "Answer by",
    recorded_title: "What is recorded",
    recorded: "Time, tool, rule and kind of data, under a code instead of your name. Not your text.",
    recorded_nobody: "Time, tool and rule. Nothing that could tell who you are, and not your text.",
    two_people: "To connect it with you, two people must agree, and you will be told.",
    no_consequence: "This message alone has no consequences for you.",
    my_record: "See my record",
    code: "Code",
    help_desk: "Help desk",
    done_without: "Done. Send the same message again within an hour: it goes without those details.",
    done_reason: "Thank you. Send the same message again within an hour: it goes on.",
    done_exception: "Your request is on its way. The answer will be on “My record”.",
    done_vetting: "Your request is on its way. The answer will be on “My record”.",
    done_objection: "Thank you for telling us. A person looks at it; the answer will be on “My record”.",
    failed: "That is not possible any more. Send the message again and choose then.",
    too_short: "One full sentence, please.",
};

static DE: Words = Words {
    not_sent: "Ihre Nachricht wurde nicht gesendet",
    not_sent_yet: "Ihre Nachricht wurde noch nicht gesendet",
    contains: "Sie scheint **{found}** zu enthalten. Das darf so nicht an {tool} gehen.",
    not_allowed: "Unsere Regeln erlauben diese Nutzung von {tool} nicht.",
    not_read: "Sie konnte nicht geprüft werden, und was nicht geprüft werden kann, geht nicht hinaus.",
    rule: "Regel",
    and: "und",
    what_now: "Was Sie jetzt tun können",
    without_title: "Ohne diese Angaben senden",
    without_text: "Sie werden zu Platzhaltern, und Ihr Bildschirm zeigt die Antwort wieder mit den echten Angaben.",
    without_button: "Angaben weglassen",
    redirect_title: "In {other} weitermachen",
    redirect_text: "Es ist dafür freigegeben. Ihr Text kommt mit, nur in diesem Fenster.",
    redirect_button: "{other} öffnen",
    edit_title: "Selbst ändern",
    your_text: "Ihr Text",
    text_note: "Ihr Text ist nur in Ihrem eigenen Fenster. Wir haben ihn nicht behalten.",
    copy: "Text kopieren",
    copied: "Kopiert",
    reason_title: "Sagen, warum es nötig ist",
    reason_text: "Ein Satz genügt. Er wird festgehalten, danach können Sie die Nachricht noch einmal senden.",
    reason_label: "Ihr Grund",
    reason_button: "Grund angeben",
    exception_title: "Das muss durchgehen",
    exception_text: "Bitten Sie um eine Ausnahme. Wer für die Regel zuständig ist oder die Vertretung antwortet.",
    exception_label: "Wofür Sie es brauchen, ohne die Angaben selbst",
    exception_button: "Um eine Ausnahme bitten",
    vetting_title: "Um Prüfung dieses Werkzeugs bitten",
    vetting_text: "Sagen Sie, wofür Sie es nutzen würden. Wer unsere Werkzeuge betreut, antwortet.",
    vetting_label: "Wofür Sie es nutzen würden",
    vetting_button: "Um Prüfung bitten",
    wrong_title: "Liegen wir falsch?",
    wrong_text: "Ein Klick genügt, und ein Mensch sieht es sich an.",
    wrong_button: "Ja, das war ein Fehler",
    marks: "Wer es prüft, darf mich nach den markierten Wörtern fragen",
    answer_by: "Antwort bis",
    recorded_title: "Was festgehalten wird",
    recorded: "Zeit, Werkzeug, Regel und Art der Daten, unter einem Code statt Ihrem Namen. Nicht Ihr Text.",
    recorded_nobody: "Zeit, Werkzeug und Regel. Nichts, das sagt, wer Sie sind, und nicht Ihr Text.",
    two_people: "Um es mit Ihnen zu verbinden, müssen zwei Personen zustimmen, und Sie erfahren es.",
    no_consequence: "Diese Nachricht allein hat keine Folgen für Sie.",
    my_record: "Meine Einträge ansehen",
    code: "Code",
    help_desk: "Hilfe",
    done_without: "Erledigt. Senden Sie dieselbe Nachricht innerhalb einer Stunde noch einmal: Sie geht ohne diese Angaben.",
    done_reason: "Danke. Senden Sie dieselbe Nachricht innerhalb einer Stunde noch einmal: Sie geht weiter.",
    done_exception: "Ihre Bitte ist unterwegs. Die Antwort steht dann unter „Meine Einträge“.",
    done_vetting: "Ihre Bitte ist unterwegs. Die Antwort steht dann unter „Meine Einträge“.",
    done_objection: "Danke für den Hinweis. Ein Mensch sieht es sich an; die Antwort steht dann unter „Meine Einträge“.",
    failed: "Das geht nicht mehr. Senden Sie die Nachricht noch einmal und wählen Sie dann.",
    too_short: "Bitte einen ganzen Satz.",
};

static FR: Words = Words {
    not_sent: "Votre message n'a pas été envoyé",
    not_sent_yet: "Votre message n'a pas encore été envoyé",
    contains: "Il semble contenir **{found}**, qui ne doit pas aller ainsi à {tool}.",
    not_allowed: "Nos règles ne permettent pas cet usage de {tool}.",
    not_read: "Il n'a pas pu être vérifié, et ce qui ne peut pas être vérifié ne sort pas.",
    rule: "Règle",
    and: "et",
    what_now: "Ce que vous pouvez faire maintenant",
    without_title: "L'envoyer sans ces détails",
    without_text: "Ils deviennent des repères, et votre écran montre la réponse avec les vrais détails.",
    without_button: "Retirer les détails",
    redirect_title: "Continuer dans {other}",
    redirect_text: "Cet outil est autorisé pour cela. Votre texte vous suit, dans cette fenêtre seulement.",
    redirect_button: "Ouvrir {other}",
    edit_title: "Le changer vous-même",
    your_text: "Votre texte",
    text_note: "Votre texte n'existe que dans votre fenêtre. Nous ne l'avons pas gardé.",
    copy: "Copier le texte",
    copied: "Copié",
    reason_title: "Dire pourquoi c'est nécessaire",
    reason_text: "Une phrase suffit. Elle est notée, puis vous pouvez renvoyer le message.",
    reason_label: "Votre raison",
    reason_button: "Donner la raison",
    exception_title: "J'ai besoin que cela passe",
    exception_text: "Demandez une exception. Le responsable de la règle ou son suppléant répond.",
    exception_label: "Pourquoi vous en avez besoin, sans les détails eux-mêmes",
    exception_button: "Demander une exception",
    vetting_title: "Demander que cet outil soit vérifié",
    vetting_text: "Dites à quoi il vous servirait. Les responsables de nos outils répondent.",
    vetting_label: "À quoi il vous servirait",
    vetting_button: "Demander une vérification",
    wrong_title: "Nous sommes-nous trompés ?",
    wrong_text: "Un clic suffit, et une personne regarde.",
    wrong_button: "Oui, c'était une erreur",
    marks: "La personne qui vérifie peut me demander les mots marqués",
    answer_by: "Réponse avant",
    recorded_title: "Ce qui est noté",
    recorded: "L'heure, l'outil, la règle et le genre de données, sous un code au lieu de votre nom. Pas votre texte.",
    recorded_nobody: "L'heure, l'outil et la règle. Rien qui dise qui vous êtes, et pas votre texte.",
    two_people: "Pour le relier à vous, deux personnes doivent être d'accord, et vous le saurez.",
    no_consequence: "Ce message seul n'a pas de conséquences pour vous.",
    my_record: "Voir mes données",
    code: "Code",
    help_desk: "Assistance",
    done_without: "C'est fait. Renvoyez le même message dans l'heure : il part sans ces détails.",
    done_reason: "Merci. Renvoyez le même message dans l'heure : il part.",
    done_exception: "Votre demande est partie. La réponse sera dans « Mes données ».",
    done_vetting: "Votre demande est partie. La réponse sera dans « Mes données ».",
    done_objection: "Merci de nous l'avoir dit. Une personne regarde ; la réponse sera dans « Mes données ».",
    failed: "Ce n'est plus possible. Renvoyez le message et choisissez alors.",
    too_short: "Une phrase entière, s'il vous plaît.",
};

static ES: Words = Words {
    not_sent: "Su mensaje no se ha enviado",
    not_sent_yet: "Su mensaje todavía no se ha enviado",
    contains: "Parece contener **{found}**, que no debe ir así a {tool}.",
    not_allowed: "Nuestras reglas no permiten este uso de {tool}.",
    not_read: "No se ha podido revisar, y lo que no se puede revisar no sale.",
    rule: "Regla",
    and: "y",
    what_now: "Lo que puede hacer ahora",
    without_title: "Enviarlo sin esos detalles",
    without_text: "Se cambian por marcadores, y su pantalla muestra la respuesta con los datos verdaderos.",
    without_button: "Quitar los detalles",
    redirect_title: "Seguir en {other}",
    redirect_text: "Está autorizado para esto. Su texto va con usted, solo en esta ventana.",
    redirect_button: "Abrir {other}",
    edit_title: "Cambiarlo usted",
    your_text: "Su texto",
    text_note: "Su texto existe solo en su ventana. No lo hemos guardado.",
    copy: "Copiar el texto",
    copied: "Copiado",
    reason_title: "Decir por qué hace falta",
    reason_text: "Basta una frase. Queda anotada, y después puede enviar el mensaje otra vez.",
    reason_label: "Su motivo",
    reason_button: "Dar el motivo",
    exception_title: "Necesito que pase",
    exception_text: "Pida una excepción. Responde la persona a cargo de la regla o quien la sustituye.",
    exception_label: "Para qué lo necesita, sin los detalles mismos",
    exception_button: "Pedir una excepción",
    vetting_title: "Pedir que se revise esta herramienta",
    vetting_text: "Diga para qué la usaría. Responde quien cuida de nuestras herramientas.",
    vetting_label: "Para qué la usaría",
    vetting_button: "Pedir una revisión",
    wrong_title: "¿Nos equivocamos?",
    wrong_text: "Basta un clic, y una persona lo mira.",
    wrong_button: "Sí, fue un error",
    marks: "Quien lo revise puede pedirme las palabras marcadas",
    answer_by: "Respuesta antes de",
    recorded_title: "Lo que se anota",
    recorded: "Hora, herramienta, regla y tipo de datos, con un código en lugar de su nombre. No su texto.",
    recorded_nobody: "Hora, herramienta y regla. Nada que diga quién es usted, y no su texto.",
    two_people: "Para unirlo a usted, dos personas deben estar de acuerdo, y usted lo sabrá.",
    no_consequence: "Este mensaje por sí solo no tiene consecuencias para usted.",
    my_record: "Ver mi registro",
    code: "Código",
    help_desk: "Ayuda",
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
