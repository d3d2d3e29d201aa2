//! Spanish.

use writ_model::{Author, Language};

use super::words::{Failure, FirstUse, Note, Offered, Within, Words};

pub(super) static WORDS: Words = Words {
    language: Language::Es,
    not_sent: "Su mensaje no se ha enviado.",
    sender: "(Le habla {organisation}, no la IA.)",
    not_ours: "[Lo ha escrito {service}, no {organisation}.]",
    found: "Parece contener {found}, que no debe ir así a {service}",
    not_allowed: "Nuestra política no permite este uso de {service}",
    private_account: "Ha entrado en {service} con una cuenta privada. Aquí, use su cuenta de trabajo",
    names_disagree: "Los nombres de esta petición no coinciden: no sabemos adónde iría",
    malformed: "No tiene una forma que podamos comprobar",
    unreadable: "No pudimos leerlo entero y por eso no pudimos comprobarlo",
    failed: "Nuestra propia comprobación falló, así que no salió nada",
    rule: "(Regla {number}, {title})",
    choices: "Qué puede hacer ahora",
    without_details: Offered {
        name: "Enviarlo sin esos datos",
        then: "se sustituyen, y su pantalla muestra la respuesta con los originales de nuevo en su sitio.",
    },
    reason: Offered {
        name: "Decir por qué hace falta",
        then: "una frase, que queda registrada. Después, envíelo otra vez.",
    },
    redirect: Offered { name: "Seguir en {service}", then: "allí está autorizado. Su texto va con usted." },
    redirect_alone: Offered { name: "Seguir en {service}", then: "allí está autorizado." },
    change: Offered { name: "Cambiarlo usted", then: "quite los datos y envíelo otra vez." },
    change_below: Offered { name: "Cambiarlo usted", then: "su texto está abajo. Solo existe en esta ventana." },
    exception: Offered {
        name: "Necesito que pase",
        then: "pida una excepción. Responde{within} quien se encarga de la regla o quien le sustituye.",
    },
    vetting: Offered { name: "Pedir que se revise {service}", then: "miramos cómo trata nuestros datos." },
    mistake: Offered {
        name: "Sí, fue un error",
        then: "usted decide si alguien puede ver las palabras marcadas. Una persona responde{within}.",
    },
    within: Within {
        one_hour: "en una hora",
        hours: "en un plazo de {number} horas",
        days: "en un plazo de {number} días",
    },
    wrong: "¿Nos equivocamos?",
    your_text: "Su texto",
    recorded: "Qué se registra:",
    recorded_what: "hora, herramienta, regla y tipo de datos, bajo un código en lugar de su nombre. No su texto.",
    recorded_protected: "hora y herramienta. Nada sobre usted, y no su texto.",
    two_people: "Para relacionarlo con usted, dos personas deben estar de acuerdo.",
    told: "Para relacionarlo con usted, dos personas deben estar de acuerdo, y se le avisará.",
    no_consequences: "Este mensaje por sí solo no tiene consecuencias para usted.",
    my_record: "Ver mi registro",
    code: "Código {code}",
    help_desk: "Asistencia {help_desk}",
    note: Note {
        sender: "Nota de {organisation} (no de {service}).",
        sent: "Su mensaje se ha enviado.",
        not_again_today: "Hoy no verá esto otra vez.",
    },
    first_use: FirstUse {
        title: "Antes de usar {service} aquí",
        nothing_sent: "Todavía no se ha enviado nada.",
        who: "{organisation} comprueba lo que va a herramientas de IA. Lo hace un programa; nadie lo lee.",
        what: "Mira lo que usted envía a {service} y las respuestas.",
        why: "Así los datos personales, las claves y los secretos se quedan con nosotros.",
        kept: "Se guardan hora, herramienta, regla y tipo de datos, bajo un código en lugar de su nombre. \
               No su texto.",
        private_way: "Para lo privado, use su propio dispositivo o la red de invitados: ahí no miramos.",
        more: "Cómo funciona y quién puede ver qué",
        understood: "Entendido",
    },
    failure: Failure {
        title: "{service} no respondió",
        nothing_sent: "Su mensaje no se ha enviado.",
        unreachable: "No se puede llegar a {service}.",
        timeout: "{service} no respondió a tiempo.",
        broken: "{service} cortó su respuesta.",
        expired: "El certificado de {service} no es válido en esta fecha: no sabemos quién responde.",
        wrong_name: "El certificado no es para este nombre: no sabemos quién responde.",
        unknown_issuer: "No conocemos a quien emitió el certificado: no sabemos quién responde.",
        certificate: "El certificado no se sostiene: no sabemos quién responde.",
        address: "El nombre lleva a una dirección de nuestra propia red, a la que no se llega por aquí.",
        again: "Inténtelo más tarde. Si sigue así, la asistencia puede mirarlo.",
    },
    and: "y",
    more: "{count} más",
    in_place: "{thing} {place}",
    place,
    thing,
};

fn place(author: Author) -> &'static str {
    match author {
        Author::System | Author::Developer => "en las instrucciones",
        Author::User => "en el mensaje",
        Author::Assistant => "en una respuesta anterior",
        Author::Tool => "en el resultado de una herramienta",
        Author::ToolDefinition => "en la descripción de una herramienta",
        Author::Metadata => "en un campo junto al mensaje",
        Author::Unknown => "en la petición",
    }
}

fn thing(data_type: &str) -> &'static str {
    match data_type {
        "CREDIT_CARD" => "un número de tarjeta de pago",
        "IBAN" | "BANK_ACCOUNT" => "un número de cuenta bancaria",
        "US_SSN" => "un número de la seguridad social",
        "EMAIL" => "una dirección de correo",
        "PHONE" => "un número de teléfono",
        "PERSON" => "el nombre de una persona",
        "IP_ADDRESS" => "una dirección de red",
        "DATE_OF_BIRTH" => "una fecha de nacimiento",
        "STREET_ADDRESS" => "una dirección",
        "MEDICAL_RECORD_NUMBER" => "un número de paciente",
        "HEALTH_INSURANCE_ID" => "un número de seguro médico",
        "HEALTH_CONDITION" | "MEDICATION" | "PROCEDURE" => "datos sobre la salud de una persona",
        "API_KEY" | "API_SECRET" | "AUTH_TOKEN" => "una clave de acceso",
        "PASSWORD" => "una contraseña",
        "JWT" => "un testigo de inicio de sesión",
        "PRIVATE_KEY" => "una clave privada",
        "SOURCE_CODE" | "CONFIG_MARKUP" => "código fuente",
        "ORGANISATION_TERM" => "uno de nuestros términos confidenciales",
        _ => "un dato confidencial",
    }
}
