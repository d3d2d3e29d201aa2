//! What people write: our own texts, made up for the simulation. Places in braces are filled in later.

use super::people::{Department, Language};

/// Questions with nothing in them that has to stay at home.
pub(crate) fn harmless(language: Language, department: Department) -> &'static [&'static str] {
    match (language, department) {
        (Language::De, _) => &GERMAN,
        (Language::Fr, _) => &FRENCH,
        (_, Department::Engineering | Department::Security) => &TECHNICAL,
        (_, Department::Legal | Department::HumanResources) => &OFFICE,
        _ => &GENERAL,
    }
}

const GENERAL: [&str; 20] = [
    "Explain the difference between a deductible and a co-payment in two sentences.",
    "Give me five subject lines for a newsletter about seasonal flu shots.",
    "What does the minimum necessary rule in HIPAA mean?",
    "Draft a friendly reminder that the cafeteria closes at 15:00 on Fridays.",
    "Translate to German: please bring a photo id to the front desk.",
    "Suggest an agenda for a one-hour kick-off meeting.",
    "Which chart suits waiting times by weekday best?",
    "Make this sound less stiff: We regret to inform all visitors that parking will be unavailable on Saturday.",
    "Write three sentences for the intranet about the new bicycle stand.",
    "how do I say politely that the deadline moves by a week",
    "Summarise in plain words what an audit trail is for.",
    "Turn this into a checklist: order badges, book the room, print name cards, tell catering about two vegans.",
    "what is a good title for a talk about shorter waiting times?",
    "Shorten to one line: The lift in building C is out of service until Thursday because of planned maintenance.",
    "Ideas for a quiz at the summer party, ten questions, nothing about politics please.",
    "Explain percentiles to somebody who has never heard of them.",
    "A tagline for a poster about washing hands. Not too cute.",
    "Compare a waiting list with an appointment system, short table.",
    "Reply to a colleague who asks me to move our Thursday call to 11. Yes, and I bring the figures.",
    "Is it 'affect' or 'effect' in: this will _ our opening hours?",
];

const TECHNICAL: [&str; 12] = [
    "How do I write a regular expression that matches ISO dates?",
    "What is the difference between a mutex and a semaphore, one paragraph each.",
    "git: I committed to main by accident, how do I move the commit to a branch",
    "Explain what back-pressure means in a queue and how I notice that I need it.",
    "When would I use a covering index? Short answer please.",
    "Name five things to check before a database migration on a Friday. (Yes, I know.)",
    "what does 'connection reset by peer' mean when only the second request fails",
    "Suggest names for a tool that lists certificates which run out soon.",
    "Draft release notes: faster search, fixed time zones in exports, new keyboard shortcuts.",
    "How do I read a flame graph? Three sentences.",
    "Difference between readiness and liveness probes, with one example each.",
    "Write a commit message for: tests no longer depend on the order of files.",
];

const OFFICE: [&str; 10] = [
    "Explain the difference between a policy and a guideline to new colleagues.",
    "Draft a short invitation to the yearly training on data protection.",
    "What are the usual parts of a board meeting agenda?",
    "Rewrite so that everybody understands it: Notice shall be given in writing not less than thirty days prior.",
    "Ten neutral questions for a survey about the canteen.",
    "How long should a job advert be? And what belongs into the first paragraph?",
    "A polite reminder to fill in the time sheets by Thursday noon.",
    "What is the difference between a lease and a licence, in general?",
    "Suggest a structure for minutes that people really read.",
    "Make a friendly out-of-office note for two weeks in August.",
];

const GERMAN: [&str; 14] = [
    "Formuliere bitte eine freundliche Erinnerung, dass die Kantine freitags um 15 Uhr schließt.",
    "Was ist der Unterschied zwischen Selbstbehalt und Zuzahlung? Zwei Sätze reichen.",
    "Mach das bitte kürzer: Aufgrund von Wartungsarbeiten steht der Aufzug in Haus C bis Donnerstag nicht zur Verfügung.",
    "Drei Vorschläge für den Betreff einer Rundmail zum Sommerfest.",
    "Übersetze ins Englische: Bitte bringen Sie zum Termin einen Lichtbildausweis mit.",
    "Wie erkläre ich Auszubildenden, was ein Protokoll leisten soll?",
    "Schreib einen kurzen Aushang: Ab Montag parken Besucher hinter dem Haus.",
    "Welche Fragen gehören in eine Umfrage zur Kantine? Bitte zehn, neutral.",
    "Was bedeutet Barrierefreiheit bei Formularen? Stichpunkte genügen.",
    "Ist das so richtig: Wir freuen uns, Sie begrüssen zu dürfen",
    "Gliederung für einen Vortrag über kürzere Wartezeiten, fünf Punkte.",
    "Wie sage ich höflich ab, ohne die Tür zuzumachen?",
    "Erkläre Median und Mittelwert an einem Beispiel mit Wartezeiten.",
    "Formulier das netter: Ihre Anfrage ist unvollständig.",
];

const FRENCH: [&str; 10] = [
    "Rédige un rappel aimable : la cafétéria ferme à 15 h le vendredi.",
    "Traduis en anglais : merci de vous présenter à l'accueil dix minutes avant.",
    "Trois titres pour une affiche sur le lavage des mains, sobres.",
    "Quelle est la différence entre une moyenne et une médiane ? Un exemple simple.",
    "Raccourcis : en raison de travaux, l'ascenseur du bâtiment C est hors service jusqu'à jeudi.",
    "Propose un ordre du jour pour une réunion de lancement d'une heure.",
    "Comment dire poliment que le délai glisse d'une semaine ?",
    "Cinq idées pour le journal interne de septembre.",
    "Corrige l'orthographe : nous vous remercions de vôtre patience.",
    "Explique en deux phrases ce qu'est un cahier des charges.",
];

/// Mails to be polished or answered, harmless all of them.
pub(crate) fn mails(language: Language) -> &'static [&'static str] {
    match language {
        Language::En => &MAILS,
        Language::De => &GERMAN_MAILS,
        Language::Fr => &FRENCH_MAILS,
    }
}

const MAILS: [&str; 7] = [
    "Can you polish this mail?\n\nHi team,\nquick heads up that room 2.14 has no projector until wednesday. if you need one book 2.17 instead, its free most mornings. sorry for the trouble, facilities ordered a new lamp",
    "Please make this friendlier, same length:\n\nThe form you sent is incomplete. Page two is missing. Send it again. We cannot process it otherwise.",
    "polish pls:\n\nhello everyone, the fire drill is on tuesday at ten. its not real so pls dont call anybody, take the stairs and meet at the big tree. thx",
    "Answer this mail with a yes, but only from week 32 on:\n\n> Could your group take over the booth on Friday afternoons?\n> We are short of hands over the summer.",
    "Turn my notes into a mail to all staff: parking deck closed mon-wed, use the east lot, shuttle every ten minutes, questions to facilities.",
    "Make it sound less angry:\n\nThis is the third time that the minutes were sent without the attachment. I would really like to read them before the next meeting and not after.",
    "Fwd: Re: Re: lunch order\n\nCould you sort this out and list who wants what?\n> two times lasagne\n> I take the salad, no onions\n> same as last week (soup)\n> lasagne here as well",
];

const GERMAN_MAILS: [&str; 4] = [
    "Bitte freundlicher formulieren:\n\nDer Raum ist ab morgen wieder frei. Bitte räumen Sie Ihre Sachen weg. Sonst machen wir das.",
    "Bitte Rechtschreibung prüfen:\n\nHallo zusammen, am Dinstag um zehn ist Probealarm. Bitte die Treppe nemen und am grossen Baum samemln.",
    "Mach aus den Stichpunkten eine Rundmail: Parkdeck Mo bis Mi gesperrt, Ostparkplatz nutzen, Bus alle zehn Minuten.",
    "Antworte kurz und zusagend:\n\n> Könnt ihr im August den Empfang am Freitagnachmittag übernehmen?",
];

const FRENCH_MAILS: [&str; 3] = [
    "Peux-tu rendre ce message plus aimable ?\n\nLe formulaire est incomplet. Renvoyez la page deux. Sinon rien ne se passe.",
    "Corrige les fautes :\n\nBonjour a tous, l'exercice incendie a lieu mardi a dix heure. Merci de prendre les escalier.",
    "Réponds oui, mais à partir de la semaine 32 :\n\n> Pourriez-vous tenir le stand le vendredi après-midi ?",
];

/// Answers of the model and what people say next.
pub(crate) fn follow_ups(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::En => &FOLLOW_UPS,
        Language::De => &GERMAN_FOLLOW_UPS,
        Language::Fr => &FRENCH_FOLLOW_UPS,
    }
}

const FOLLOW_UPS: [(&str, &str); 3] = [
    ("Sure, here is a first version.", "Make it shorter, please."),
    ("Here is the shorter one.", "Good. Now in the tone of an official notice."),
    ("Done.", "And a title for it?"),
];
const GERMAN_FOLLOW_UPS: [(&str, &str); 3] = [
    ("Gern, hier ist ein erster Entwurf.", "Kürzer bitte."),
    ("Hier die kürzere Fassung.", "Gut. Jetzt im Ton eines Aushangs."),
    ("Erledigt.", "Und eine Überschrift dazu?"),
];
const FRENCH_FOLLOW_UPS: [(&str, &str); 3] = [
    ("Voici une première version.", "Plus court, s'il te plaît."),
    ("Voici la version courte.", "Bien. Maintenant sur le ton d'une note de service."),
    ("C'est fait.", "Et un titre ?"),
];

/// Logs and stack traces, as people paste them.
pub(crate) const LOGS: [&str; 5] = [
    "any idea why this happens only at night?\n\n  02:14:07 WARN  scheduler: run 881 started late by 41 s\n  02:14:09 INFO  export: 1204 rows\n  02:14:52 ERROR export: upstream closed the stream after 43 s\n  02:14:52 INFO  scheduler: run 881 will be tried again\n  02:15:31 INFO  export: 1204 rows\n  02:15:33 INFO  scheduler: run 881 done",
    "What does this trace mean? It is an old Java service that nobody dares to touch.\n\n  java.lang.IllegalStateException: queue is closed\n      at example.queue.Worker.take(Worker.java:88)\n      at example.queue.Worker.run(Worker.java:41)\n      at java.base/java.lang.Thread.run(Thread.java:1583)\n  Caused by: java.util.concurrent.TimeoutException: waited 30 s",
    "python says this since the update, what changed?\n\n  Traceback (most recent call last):\n    File \"report.py\", line 31, in <module>\n      main()\n    File \"report.py\", line 24, in main\n      table = load(path)\n    File \"report.py\", line 12, in load\n      return frame.set_index(\"week\", verify=True)\n  TypeError: set_index() got an unexpected keyword argument 'verify'",
    "Build fails on the runner but not here. Full output:\n\n  [12/88] Compiling parser\n  [13/88] Compiling report\n  warning: unused variable: `week`\n  [14/88] Linking report\n  ld: cannot find -lssl: No such file or directory\n  ld: cannot find -lcrypto: No such file or directory\n  make: *** [Makefile:41: report] Error 1",
    "Why is the second number so much higher than the first?\n\n  $ time ./report --weeks 4\n  real 0m2.118s  user 0m1.902s\n  $ time ./report --weeks 5\n  real 0m41.733s  user 0m3.066s",
];

/// Tables, copied out of a spreadsheet.
pub(crate) const TABLES: [&str; 4] = [
    "Which weekday is the worst, and how much better is Friday?\n\nweekday\twaiting (min)\tvisits\nMon\t47\t212\nTue\t38\t198\nWed\t41\t187\nThu\t35\t191\nFri\t22\t143",
    "add a column with the change in percent\n\nmonth\tcalls\tanswered\nJan\t4120\t3877\nFeb\t3904\t3702\nMar\t4388\t3991\nApr\t4102\t3955",
    "Make a short text for the report out of this:\n\nsite\tbeds\tused\nNorth\t120\t104\nHarbour\t88\t61\nHill\t64\t63",
    "sort by hours, most first. and is the total right??\n\nteam\thours\nFacilities\t312\nReception\t540\nKitchen\t488\nTransport\t206\nsum\t1546",
];

/// Own source code to be looked at: text before, code, the line that stands for it.
pub(crate) const CODE: [(&str, &str, &str); 3] = [
    (
        "Review this function of our pricing engine:",
        "```rust\npub fn monthly_premium(member: &Member, base_rate: Money) -> Money {\n    let premium = base_rate * risk_factor(member.age, member.region) + SURCHARGE;\n    premium.round_to_cents()\n}\n```",
        "let premium = base_rate * risk_factor(member.age, member.region) + SURCHARGE;",
    ),
    (
        "tests pass but the totals are off by one day, where is the mistake?",
        "```python\ndef nights(stay):\n    total = 0\n    for visit in stay.visits:\n        if visit.ward in BILLABLE_WARDS:\n            total += (visit.left - visit.came).days + 1\n    return total\n```",
        "total += (visit.left - visit.came).days + 1",
    ),
    (
        "Can this query be made faster? claim_lines has forty million rows.",
        "```sql\nSELECT l.code, SUM(l.amount) FROM claim_lines l\nJOIN claims c ON c.id = l.claim_id\nWHERE c.closed_at >= date_trunc('month', now()) AND l.code LIKE 'NW-%'\nGROUP BY l.code ORDER BY 2 DESC;\n```",
        "WHERE c.closed_at >= date_trunc('month', now()) AND l.code LIKE 'NW-%'",
    ),
];

/// Texts about a patient; `{name}`, `{number}`, `{diagnosis}`.
pub(crate) fn health(language: Language) -> &'static [&'static str] {
    match language {
        Language::De => &[
            "Bitte zusammenfassen: Patient {name}, Patientennummer {number}, aufgenommen am 3. Mai, Diagnose {diagnosis}, seit Montag stabil.",
            "Kurzer Arztbrief bitte. Patientin {name} (Patientennummer: {number}), Diagnose: {diagnosis}, Entlassung am Freitag.",
        ],
        _ => &[
            "Summarise: Patient {name}, MRN {number}, admitted 3 May with {diagnosis}, stable since Monday.",
            "write a short handover note. Patient {name} (MRN: {number}) has {diagnosis}, slept well, wants to go home tomorrow",
            "Turn into plain words for the family: Patient {name}, MRN {number}, diagnosis {diagnosis}, discharge planned for Friday, follow-up in two weeks.",
        ],
    }
}

/// Diagnoses in the language of the text.
pub(crate) fn diagnoses(language: Language) -> &'static [&'static str] {
    match language {
        Language::De => &["Diabetes Typ 2", "Vorhofflimmern", "schweres Asthma", "Schenkelhalsbruch"],
        _ => &["type 2 diabetes", "atrial fibrillation", "severe asthma", "a fractured hip"],
    }
}

/// Texts about a payment to an account; `{name}`, `{iban}`.
pub(crate) fn invoices(language: Language) -> &'static [&'static str] {
    match language {
        Language::De => &[
            "Schreib eine Rechnung an {name}, zahlbar innerhalb von 30 Tagen auf das Konto IBAN {iban}.",
            "Formuliere eine Mahnung an {name}: offener Betrag, bitte auf IBAN {iban} überweisen, Frist Ende des Monats.",
        ],
        Language::Fr => &["Rédige une facture pour {name}, à régler sous 30 jours sur le compte IBAN {iban}."],
        Language::En => &[
            "Draft an invoice for {name}, to be paid to IBAN {iban} within 30 days.",
            "second reminder for {name}, still unpaid, our account is IBAN {iban}. firm but polite",
        ],
    }
}

/// Texts about a card payment; `{name}`, `{card}`.
pub(crate) const CARDS: [&str; 3] = [
    "Write a letter to {name}: the card {card} was charged twice, the refund comes Friday.",
    "customer on the phone, {name}, says card {card} was declined. what do I tell them",
    "Reply to {name} that we cannot refund to the card {card} after 90 days, but by bank transfer.",
];

/// Texts about a new colleague; `{name}`, `{ssn}`.
pub(crate) const NEW_STAFF: [&str; 2] = [
    "Fill the onboarding form for {name}, SSN {ssn}, start date 3 March.",
    "Check that this is complete: new hire {name}, SSN: {ssn}, full time, ward 3, badge ordered",
];

/// Papers that counsel works on.
pub(crate) const COUNSEL: [&str; 2] = [
    "Shorten this paragraph, it is legal advice from counsel and goes to the board: The notice period runs from the day the letter arrives, so we should send it this week.",
    "attorney-client memo, please make the language plainer: In our view the claim is out of time because it was raised after the agreed period.",
];
