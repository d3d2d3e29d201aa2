//! Word lists of the validators: general language, sorted by bytes where they are searched.

/// Common given names (common knowledge; English, German, French, Spanish, Italian, Dutch, Polish, Portuguese, Nordic,
/// Arabic, Turkish, Asian), lower case.
#[rustfmt::skip]
pub const GIVEN_NAMES: &[&str] = &[
    "aaron", "abigail", "adam", "adrián", "agnieszka", "ahmed", "aisha", "akira", "alain", "alan", "albert",
    "alberto", "aldo", "alejandro", "alessandro", "alessia", "alexander", "alexei", "alexis", "ali", "alice",
    "alicia", "amanda", "amber", "amelia", "amit", "amy", "ana", "anders", "andrea", "andreas", "andrew", "andrzej",
    "andré", "andrés", "angela", "angelo", "anil", "anja", "anjali", "ann", "anna", "anouk", "anthony", "antoine",
    "antonio", "arjun", "arthur", "ashley", "astrid", "aurélie", "austin", "ayşe", "barbara", "beatriz", "ben",
    "benjamin", "bernard", "bernd", "betty", "beverly", "billy", "birgit", "bobby", "bradley", "bram", "brandon",
    "brenda", "brian", "brigitte", "brittany", "bruce", "bruno", "bryan", "camille", "carl", "carlo", "carlos",
    "carmen", "carol", "carolyn", "catarina", "catherine", "charles", "charlotte", "cheryl", "chiara", "chloe",
    "chloé", "christian", "christina", "christine", "christopher", "clara", "claude", "claudia", "cristina",
    "cynthia", "céline", "daan", "daniel", "danielle", "david", "davide", "deborah", "debra", "deepak", "denise",
    "dennis", "diana", "diane", "diego", "dieter", "dirk", "dmitri", "dolores", "domenico", "donald", "donna",
    "doris", "dorothy", "douglas", "dylan", "edward", "elena", "elias", "elijah", "elisa", "elizabeth", "ella",
    "emily", "emma", "emre", "enrique", "eric", "erik", "erika", "ethan", "eugene", "eva", "evelyn", "ewa", "fabian",
    "fatima", "federica", "federico", "felix", "femke", "fernando", "finn", "fleur", "frances", "francesca",
    "francesco", "francisco", "franco", "frank", "françois", "françoise", "friedrich", "frédéric", "gabriel", "gary",
    "george", "gerald", "gerhard", "giorgio", "giovanna", "giovanni", "gisela", "giulia", "giuseppe", "gloria",
    "gonçalo", "grace", "gregory", "grzegorz", "gudrun", "guillaume", "günter", "hannah", "hans", "harold", "harper",
    "hassan", "heather", "heike", "heinz", "helen", "helga", "helmut", "hendrik", "henri", "henrik", "henry",
    "hiroshi", "horst", "hugo", "hélène", "ibrahim", "ingrid", "inês", "irene", "irina", "isabel", "isabella",
    "isabelle", "ivan", "jack", "jacob", "jacqueline", "jacques", "jakub", "james", "jan", "janet", "janice", "jason",
    "javier", "jean", "jeffrey", "jennifer", "jeremy", "jerry", "jesse", "jessica", "jesús", "ji", "jin", "joan",
    "joanna", "joe", "johan", "johanna", "johannes", "john", "jonas", "jonathan", "joost", "jordan", "jorge", "jose",
    "joseph", "joshua", "josé", "joyce", "joão", "juan", "judith", "judy", "juergen", "julia", "julian", "julie",
    "julien", "justin", "jürgen", "karen", "karl", "katarzyna", "katharina", "katherine", "kathleen", "kathrin",
    "kathryn", "katrin", "kayla", "kees", "keith", "kelly", "kenji", "kenneth", "kevin", "khalid", "kimberly",
    "kirsten", "klaus", "kristian", "krystyna", "krzysztof", "kyle", "larry", "lars", "laura", "lauren", "laurent",
    "lawrence", "lea", "lena", "leo", "leon", "li", "liam", "lily", "linda", "lisa", "logan", "lorenzo", "lori",
    "lotte", "louis", "lucas", "lucia", "luciano", "lucía", "luigi", "luis", "lukas", "luís", "léa", "maarten",
    "madison", "magdalena", "magnus", "manfred", "manon", "manuel", "marcel", "marcin", "marco", "margaret", "maria",
    "mariana", "marie", "marieke", "marilyn", "mario", "mark", "markus", "marta", "martha", "martin", "martina",
    "martine", "mary", "maría", "mason", "mateusz", "mathieu", "matteo", "matthew", "matthias", "max", "maximilian",
    "małgorzata", "megan", "mehmet", "melissa", "mercedes", "mette", "mia", "michael", "michaela", "michał", "michel",
    "michele", "michelle", "miguel", "mikael", "mikhail", "mila", "min", "ming", "mohammed", "monika", "monique",
    "moritz", "muhammad", "mustafa", "nancy", "natalie", "natasha", "nathalie", "nathan", "nicholas", "nicolas",
    "nicole", "niklas", "nikolai", "nils", "noah", "nuno", "olga", "oliver", "olivia", "olivier", "olof", "omar",
    "oscar", "pablo", "pamela", "paola", "paolo", "pascal", "patricia", "patrick", "paul", "paula", "paweł", "pedro",
    "per", "peter", "petra", "philip", "philipp", "philippe", "pierre", "piet", "pieter", "pietro", "pilar", "piotr",
    "priya", "rachel", "rafael", "rahul", "raj", "ralph", "ramón", "randy", "raquel", "ravi", "raymond", "raúl",
    "rebecca", "renate", "rené", "ricardo", "richard", "rita", "robert", "rocío", "roger", "ronald", "rosa", "roy",
    "rui", "russell", "ruth", "ryan", "sabine", "sakura", "salvatore", "samantha", "samuel", "sandra", "sanjay",
    "sanne", "sara", "sarah", "scott", "sean", "sebastian", "sem", "sergei", "sergio", "sharon", "shirley", "sigrid",
    "silke", "silvia", "simone", "sofia", "sofía", "sophia", "sophie", "stefan", "stefanie", "stefano", "stephanie",
    "stephen", "steven", "sunita", "susan", "susanne", "sven", "sylvie", "søren", "takashi", "tatiana", "teresa",
    "terry", "theresa", "thierry", "thijs", "thomas", "tiago", "tiffany", "tim", "timothy", "tobias", "tomasz",
    "tyler", "ulrich", "ursula", "ute", "uwe", "valentina", "vicente", "victoria", "vikram", "vincent", "vincenzo",
    "virginia", "vladimir", "véronique", "walter", "wayne", "wei", "werner", "willem", "william", "willie",
    "wojciech", "wolfgang", "wouter", "yuki", "yusuf", "zachary", "zoe", "zofia", "álvaro", "ángel", "élodie",
    "émilie", "éric", "łukasz",
];

/// Words that follow a greeting, title or label without being a name, lower case.
#[rustfmt::skip]
pub const NOT_NAMES: &[&str] = &[
    "a", "about", "access", "account", "accounts", "action", "address", "admin", "after", "agent", "ai", "all",
    "alle", "and", "any", "api", "app", "application", "at", "attached", "be", "best", "billing", "both", "by", "can",
    "chat", "client", "colleague", "colleagues", "com", "company", "contact", "could", "customer", "dad", "damen",
    "data", "database", "date", "day", "dear", "default", "department", "desk", "diagnosis", "director", "do", "dob",
    "docker", "doctor", "does", "dr", "email", "employee", "engineer", "equipo", "error", "every", "everyone",
    "example", "first", "folks", "for", "frau", "friend", "friends", "from", "geehrte", "get", "give", "group", "had",
    "hallo", "has", "have", "he", "hello", "help", "here", "herr", "herren", "hey", "hi", "hiring", "how", "hr",
    "hr.", "i", "id", "if", "in", "inc", "is", "it", "just", "key", "kind", "kollegen", "kolleginnen", "last", "let",
    "llc", "ltd", "madam", "madame", "mail", "manager", "may", "me", "member", "mom", "monsieur", "mr", "mrn", "mrs",
    "ms", "my", "name", "new", "nhs", "no", "none", "not", "note", "null", "number", "of", "office", "on", "one",
    "or", "our", "patient", "person", "phone", "please", "policy", "pr", "president", "prof", "project", "python",
    "re", "recruiter", "regards", "report", "result", "room", "said", "says", "see", "sehr", "self", "sender",
    "senor", "server", "service", "señor", "señora", "she", "should", "since", "sir", "so", "ssn", "staff", "subject",
    "support", "system", "team", "test", "thanks", "that", "the", "their", "there", "they", "this", "to", "today",
    "todos", "token", "true", "type", "und", "unknown", "update", "us", "user", "visit", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "world", "would", "yes", "you", "your", "zusammen",
];

/// Whole values that are no secrets, lower case.
#[rustfmt::skip]
pub const NOT_SECRETS: &[&str] = &[
    "admin", "administrator", "anonymous", "apikey", "auto", "basic", "bearer", "bool", "boolean", "bytes",
    "changeit", "default", "digest", "disabled", "enabled", "false", "filter", "guest", "hidden", "int", "integer",
    "long", "none", "null", "number", "object", "off", "optional", "pass", "passwd", "password", "password1",
    "private", "public", "pwd", "required", "root", "secret", "secretkey", "string", "test", "testpwd", "text",
    "token", "true", "undefined", "user", "username", "utf-8", "void", "yes",
];

/// Parts of values that stand in place of a secret, lower case.
#[rustfmt::skip]
pub const SECRET_PLACEHOLDERS: &[&str] = &[
    "example", "changeme", "change_me", "change-me", "xxxx", "your_", "your-", "<your", "yourpass", "mypass",
    "my_secret", "my-secret", "placeholder", "redacted", "dummy", "sample", "insert_", "replace", "todo", "fixme",
    "not_set", "notset", "undefined_", "test_key", "testkey", "fake_", "fake-", "****", "•••", "......", "1234567890",
    "0123456789", "abcdefgh", "s3cr3ts3cr3t",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searched_lists_are_sorted() {
        for list in [GIVEN_NAMES, NOT_NAMES, NOT_SECRETS] {
            assert!(list.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        }
    }
}
