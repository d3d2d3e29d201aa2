//! How it works and who can see what: the page to which the notice of first use leads. Computed from what runs, in four
//! languages, readable without signing in.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use writ_catalog::HostMode;
use writ_model::Language;

use super::Shared;
use crate::frame::Solo;
use crate::guard::text;
use crate::reply::{Reply, page as show};

#[derive(Template)]
#[template(path = "how.html")]
struct HowPage {
    solo: Solo,
    words: &'static Words,
    opened: usize,
    owner: String,
    private_way: bool,
    help_desk: Option<String>,
}

/// The page's sentences in one language.
struct Words {
    title: &'static str,
    what: &'static str,
    opened: &'static str,
    why: &'static str,
    kept: &'static str,
    who: &'static str,
    protected: &'static str,
    private_way: &'static str,
    record: &'static str,
    policy: &'static str,
    tools: &'static str,
    help_desk: &'static str,
}

/// `GET /how`
pub(crate) async fn page(State(console): Shared, headers: HeaderMap) -> Reply {
    let asked = text(&headers, &header::ACCEPT_LANGUAGE).unwrap_or_default();
    let language = Language::preferred(asked);
    let snapshot = (console.parts.snapshot)();
    let hosts = snapshot.catalog.services().iter().flat_map(|service| &service.hosts);
    let opened = hosts.filter(|host| {
        snapshot
            .catalog
            .match_host(&host.name)
            .is_some_and(|found| matches!(found.mode(), HostMode::Inspect | HostMode::Paths))
    });
    let words = words(language);
    let mut solo = console.solo(words.title);
    solo.lang = language.code();
    show(&HowPage {
        solo,
        words,
        opened: opened.count(),
        owner: console.parts.organisation.name.clone(),
        private_way: console.parts.organisation.uninspected_way.is_some(),
        help_desk: console.parts.organisation.help_desk.clone(),
    })
}

fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::De => &DE,
        Language::Fr => &FR,
        Language::Es => &ES,
    }
}

static EN: Words = Words {
    title: "How this works and who can see what",
    what: "A program of our own looks at what is about to go to AI services, and at nothing else. It looks for data that our AI usage policy protects. Connections to other sites are not opened.",
    opened: "Names of AI services whose connections may be opened:",
    why: "The reason is to protect people and data. It is not used to rate anybody or their work.",
    kept: "Kept are time, tool, rule and kind of data, under a code instead of a name. What was typed and what was answered is not kept.",
    who: "Reviewers see codes. To connect a code with a name, two people must agree and say why; the person sees that it happened.",
    protected: "For people who hold a protected office, content is not read and nothing personal is recorded.",
    private_way: "What is done on one's own device or in the guest network is not looked at.",
    record: "See my record",
    policy: "Read the policy",
    tools: "The list of names, as devices load it",
    help_desk: "Help desk",
};

static DE: Words = Words {
    title: "Wie das geht und wer was sehen kann",
    what: "Ein eigenes Programm sieht an, was gerade zu KI-Diensten gehen soll, und sonst nichts. Es sucht nach Daten, die unsere Richtlinie zur KI-Nutzung schützt. Verbindungen zu anderen Seiten werden nicht geöffnet.",
    opened: "Namen von KI-Diensten, deren Verbindungen geöffnet werden können:",
    why: "Der Grund ist der Schutz von Menschen und Daten. Es dient nicht dazu, jemanden oder seine Arbeit zu bewerten.",
    kept: "Festgehalten werden Zeit, Werkzeug, Regel und Art der Daten, unter einem Code statt eines Namens. Was getippt und was geantwortet wurde, wird nicht aufbewahrt.",
    who: "Prüfende sehen Codes. Um einen Code mit einem Namen zu verbinden, müssen zwei Personen zustimmen und sagen, warum; die Person sieht, dass es geschah.",
    protected: "Bei Menschen mit einem geschützten Amt wird kein Inhalt gelesen und nichts Persönliches festgehalten.",
    private_way: "Was auf dem eigenen Gerät oder im Gastnetz geschieht, wird nicht angesehen.",
    record: "Meine Aufzeichnungen ansehen",
    policy: "Die Richtlinie lesen",
    tools: "Die Liste der Namen, wie Geräte sie laden",
    help_desk: "Helpdesk",
};

static FR: Words = Words {
    title: "Comment cela fonctionne et qui peut voir quoi",
    what: "Un programme à nous regarde ce qui va partir vers des services d'IA, et rien d'autre. Il cherche les données que notre politique d'usage de l'IA protège. Les connexions vers d'autres sites ne sont pas ouvertes.",
    opened: "Noms de services d'IA dont les connexions peuvent être ouvertes :",
    why: "Le but est de protéger les personnes et les données. Cela ne sert pas à évaluer quelqu'un ni son travail.",
    kept: "On garde l'heure, l'outil, la règle et le type de données, sous un code au lieu d'un nom. Ni le texte saisi ni la réponse ne sont gardés.",
    who: "Les personnes qui contrôlent voient des codes. Pour relier un code à un nom, deux personnes doivent être d'accord et dire pourquoi ; la personne concernée le voit.",
    protected: "Pour les personnes qui exercent une fonction protégée, le contenu n'est pas lu et rien de personnel n'est enregistré.",
    private_way: "Ce qui se fait sur son propre appareil ou sur le réseau invité n'est pas regardé.",
    record: "Voir mes données enregistrées",
    policy: "Lire la politique",
    tools: "La liste des noms, telle que les appareils la chargent",
    help_desk: "Assistance",
};

static ES: Words = Words {
    title: "Cómo funciona y quién puede ver qué",
    what: "Un programa propio mira lo que va a salir hacia servicios de IA, y nada más. Busca datos que protege nuestra política de uso de la IA. Las conexiones a otros sitios no se abren.",
    opened: "Nombres de servicios de IA cuyas conexiones se pueden abrir:",
    why: "El motivo es proteger a las personas y los datos. No sirve para valorar a nadie ni su trabajo.",
    kept: "Se guardan la hora, la herramienta, la regla y el tipo de datos, con un código en lugar de un nombre. No se guarda lo que se escribió ni lo que se respondió.",
    who: "Quienes revisan ven códigos. Para unir un código con un nombre, dos personas deben estar de acuerdo y decir por qué; la persona ve que ocurrió.",
    protected: "De quienes ocupan un cargo protegido no se lee el contenido ni se registra nada personal.",
    private_way: "Lo que se hace en el dispositivo propio o en la red de invitados no se mira.",
    record: "Ver mi registro",
    policy: "Leer la política",
    tools: "La lista de nombres, tal como la cargan los dispositivos",
    help_desk: "Asistencia",
};
