//! French.

use writ_model::{Author, Language};

use super::words::{Failure, FirstUse, Note, Offered, Within, Words};

pub(super) static WORDS: Words = Words {
    language: Language::Fr,
    not_sent: "Votre message n’a pas été envoyé.",
    sender: "(C’est {organisation} qui vous parle, pas l’IA.)",
    not_ours: "[C’est {service} qui l’a écrit, pas {organisation}.]",
    found: "Il semble contenir {found}, qui ne doit pas aller ainsi vers {service}",
    not_allowed: "Notre charte ne permet pas cet usage de {service}",
    private_account: "Vous êtes connecté à {service} avec un compte privé. Ici, utilisez votre compte professionnel",
    names_disagree: "Les noms dans cette demande ne concordent pas : nous ne savons pas où elle irait",
    malformed: "Il n’a pas une forme que nous pouvons vérifier",
    unreadable: "Nous n’avons pas pu le lire en entier, donc pas le vérifier",
    failed: "Notre propre contrôle a échoué, donc rien n’est parti",
    rule: "(Règle {number}, {title})",
    choices: "Ce que vous pouvez faire maintenant",
    without_details: Offered {
        name: "L’envoyer sans ces détails",
        then: "ils sont remplacés, et votre écran montre la réponse avec les originaux remis en place.",
    },
    reason: Offered {
        name: "Dire pourquoi c’est nécessaire",
        then: "une phrase, qui est enregistrée. Ensuite, envoyez-le de nouveau.",
    },
    redirect: Offered { name: "Continuer dans {service}", then: "c’est autorisé là-bas. Votre texte vous suit." },
    redirect_alone: Offered { name: "Continuer dans {service}", then: "c’est autorisé là-bas." },
    change: Offered { name: "Le modifier vous-même", then: "retirez les détails et envoyez-le de nouveau." },
    change_below: Offered {
        name: "Le modifier vous-même",
        then: "votre texte est plus bas. Il n’existe que dans cette fenêtre.",
    },
    exception: Offered {
        name: "J’ai besoin que cela passe",
        then: "demandez une exception. La personne responsable de la règle ou sa suppléance répond{within}.",
    },
    vetting: Offered {
        name: "Faire vérifier {service}", then: "nous regardons comment nos données y sont traitées."
    },
    mistake: Offered {
        name: "Oui, c’était une erreur",
        then: "vous décidez si quelqu’un peut voir les mots marqués. Une personne répond{within}.",
    },
    within: Within { one_hour: "dans l’heure", hours: "sous {number} heures", days: "sous {number} jours" },
    wrong: "Nous nous trompons ?",
    your_text: "Votre texte",
    recorded: "Ce qui est enregistré :",
    recorded_what: "l’heure, l’outil, la règle et le type de données, sous un code au lieu de votre nom. \
                    Pas votre texte.",
    recorded_protected: "l’heure et l’outil. Rien sur vous, et pas votre texte.",
    two_people: "Pour faire le lien avec vous, deux personnes doivent être d’accord.",
    told: "Pour faire le lien avec vous, deux personnes doivent être d’accord, et vous serez informé.",
    no_consequences: "Ce message seul n’a pas de suites pour vous.",
    my_record: "Voir mes données",
    code: "Code {code}",
    help_desk: "Assistance {help_desk}",
    note: Note {
        sender: "Note de {organisation} (pas de {service}).",
        sent: "Votre message a été envoyé.",
        not_again_today: "Vous ne reverrez pas ceci aujourd’hui.",
    },
    first_use: FirstUse {
        title: "Avant d’utiliser {service} ici",
        nothing_sent: "Rien n’a encore été envoyé.",
        who: "{organisation} contrôle ce qui part vers les outils d’IA. Un programme le fait ; personne ne lit.",
        what: "Il regarde ce que vous envoyez à {service} et les réponses.",
        why: "Ainsi, les données personnelles, les clés et les secrets restent chez nous.",
        kept: "Sont gardés l’heure, l’outil, la règle et le type de données, sous un code au lieu de votre nom. \
               Pas votre texte.",
        private_way: "Pour le privé, prenez votre propre appareil ou le réseau invité : nous n’y regardons pas.",
        more: "Comment cela marche et qui peut voir quoi",
        understood: "Compris",
    },
    failure: Failure {
        title: "{service} n’a pas répondu",
        nothing_sent: "Votre message n’a pas été envoyé.",
        unreachable: "{service} est injoignable.",
        timeout: "{service} n’a pas répondu à temps.",
        broken: "{service} a interrompu sa réponse.",
        expired: "Le certificat de {service} n’est pas valide à cette date : nous ne savons pas qui répond.",
        wrong_name: "Le certificat présenté n’est pas à ce nom : nous ne savons pas qui répond.",
        unknown_issuer: "Nous ne connaissons pas l’émetteur du certificat présenté : nous ne savons pas qui répond.",
        certificate: "Le certificat présenté ne tient pas : nous ne savons pas qui répond.",
        address: "Ce nom mène à une adresse de notre propre réseau, qui n’est pas accessible par ici.",
        again: "Réessayez plus tard. Si cela dure, l’assistance peut regarder.",
    },
    and: "et",
    more: "{count} autres",
    in_place: "{thing} {place}",
    place,
    thing,
};

fn place(author: Author) -> &'static str {
    match author {
        Author::System | Author::Developer => "dans les consignes",
        Author::User => "dans le message",
        Author::Assistant => "dans une réponse précédente",
        Author::Tool => "dans le résultat d’un outil",
        Author::ToolDefinition => "dans la description d’un outil",
        Author::Metadata => "dans un champ à côté du message",
        Author::Unknown => "dans la demande",
    }
}

fn thing(data_type: &str) -> &'static str {
    match data_type {
        "CREDIT_CARD" => "un numéro de carte de paiement",
        "IBAN" | "BANK_ACCOUNT" => "un numéro de compte bancaire",
        "US_SSN" => "un numéro de sécurité sociale",
        "EMAIL" => "une adresse e-mail",
        "PHONE" => "un numéro de téléphone",
        "PERSON" => "le nom d’une personne",
        "IP_ADDRESS" => "une adresse réseau",
        "DATE_OF_BIRTH" => "une date de naissance",
        "STREET_ADDRESS" => "une adresse",
        "MEDICAL_RECORD_NUMBER" => "un numéro de patient",
        "HEALTH_INSURANCE_ID" => "un numéro d’assurance maladie",
        "HEALTH_CONDITION" | "MEDICATION" | "PROCEDURE" => "une information sur la santé d’une personne",
        "API_KEY" | "API_SECRET" | "AUTH_TOKEN" => "une clé d’accès",
        "PASSWORD" => "un mot de passe",
        "JWT" => "un jeton de connexion",
        "PRIVATE_KEY" => "une clé privée",
        "SOURCE_CODE" | "CONFIG_MARKUP" => "du code source",
        "ORGANISATION_TERM" => "un de nos termes confidentiels",
        _ => "un détail confidentiel",
    }
}
