//! Holds the vocabulary that generated companies are written with, dirt included.
//!
//! It chooses nothing: the dice do.

/// First names: as typed, and as in an e-mail address.
pub(crate) const FIRST: &[(&str, &str)] = &[
    ("Ada", "ada"),
    ("Bram", "bram"),
    ("Chloé", "chloe"),
    ("Dieter", "dieter"),
    ("Eva", "eva"),
    ("Farid", "farid"),
    ("Grace", "grace"),
    ("Håkon", "hakon"),
    ("Inês", "ines"),
    ("Jürgen", "juergen"),
    ("Katarzyna", "katarzyna"),
    ("Łukasz", "lukasz"),
    ("Mehmet", "mehmet"),
    ("Ngozi", "ngozi"),
    ("Olga", "olga"),
    ("Pål", "paal"),
    ("Quentin", "quentin"),
    ("René", "rene"),
    ("Søren", "soeren"),
    ("Tove", "tove"),
    ("Ulrike", "ulrike"),
    ("Vasil", "vasil"),
    ("Wendy", "wendy"),
    ("美咲", "misaki"),
    ("伟", "wei"),
    ("Юлия", "yuliya"),
    ("Zoë", "zoe"),
    ("محمد", "mohammed"),
    ("Siobhán", "siobhan"),
    ("Jean-Luc", "jean-luc"),
    ("Mary Ann", "maryann"),
    ("O'Neil", "oneil"),
];

/// Last names: as typed, and as in an e-mail address.
pub(crate) const LAST: &[(&str, &str)] = &[
    ("Byron", "byron"),
    ("Müller", "mueller"),
    ("de Vries", "devries"),
    ("García", "garcia"),
    ("Nguyễn", "nguyen"),
    ("O’Connor", "oconnor"),
    ("Smith-Jones", "smith-jones"),
    ("Straße", "strasse"),
    ("Ångström", "angstroem"),
    ("田中", "tanaka"),
    ("李", "li"),
    ("Иванов", "ivanov"),
    ("Öztürk", "oeztuerk"),
    ("Dvořák", "dvorak"),
    ("van den Berg", "vandenberg"),
    ("Kowalski", "kowalski"),
    ("Jensen", "jensen"),
    ("Rossi", "rossi"),
    ("Silva", "silva"),
    ("Papadopoulos", "papadopoulos"),
    ("Novák", "novak"),
    ("MacDonald", "macdonald"),
    ("Okafor", "okafor"),
    ("Haddad", "haddad"),
    ("Lindqvist", "lindqvist"),
    ("Peeters", "peeters"),
    ("김", "kim"),
    ("Singh", "singh"),
    ("Dubois", "dubois"),
    ("Fischer", "fischer"),
];

/// Names of companies: as typed, and as in a domain.
pub(crate) const COMPANY: &[(&str, &str)] = &[
    ("Acme", "acme"),
    ("Globex", "globex"),
    ("Bäckerei Schön", "baeckerei-schoen"),
    ("Umbrella Freight", "umbrella-freight"),
    ("Café Ñandú", "cafe-nandu"),
    ("Northwind", "northwind"),
    ("Tailspin Toys", "tailspintoys"),
    ("東京電機", "tokyo-denki"),
    ("Wide World", "wideworld"),
    ("Hafen & Söhne", "hafen-soehne"),
    ("Blue Yonder", "blueyonder"),
    ("Proseware", "proseware"),
    ("Øresund Marine", "oresund-marine"),
    ("Litware", "litware"),
    ("Quay 🚢 Logistics", "quay-logistics"),
    ("Stevedore", "stevedore"),
    ("Bollard", "bollard"),
    ("Fathom", "fathom"),
    ("Gantry", "gantry"),
    ("Hawser", "hawser"),
    ("Smith \"The Roofer\"", "smith-roofer"),
    ("Kedge\tSystems", "kedge-systems"),
    ("Лайнер", "layner"),
    ("Dunnage", "dunnage"),
];

/// Legal forms, the empty one included.
pub(crate) const LEGAL: &[&str] = &[
    "", " GmbH", " Ltd", " Ltd.", " Inc.", " B.V.", " S.A.", " AG", " LLC", " ApS", " K.K.",
    " s.r.o.",
];

/// Towns with region, country and a postal code's first digits.
pub(crate) const TOWNS: &[(&str, &str, &str, &str)] = &[
    ("Gent", "Oost-Vlaanderen", "Belgium", "90"),
    ("München", "Bayern", "Germany", "80"),
    ("Kraków", "Małopolska", "Poland", "30"),
    ("大阪市", "大阪府", "Japan", "53"),
    ("São Paulo", "SP", "Brazil", "01"),
    ("Portland", "OR", "United States", "97"),
    ("Århus", "Midtjylland", "Denmark", "80"),
    ("Cork", "Munster", "Ireland", "T1"),
];

/// Streets.
pub(crate) const STREETS: &[&str] = &[
    "Kaai",
    "Hauptstraße",
    "Harbour Road",
    "Rue de l'Église",
    "Calle Mayor",
    "港通り",
    "Mill Lane",
];

/// Lines of business.
pub(crate) const INDUSTRIES: &[&str] = &[
    "Shipping",
    "Retail",
    "Construction",
    "Software",
    "Healthcare",
    "Food & beverage",
];

/// Positions.
pub(crate) const JOBS: &[&str] = &[
    "Buyer",
    "Head of Procurement",
    "CEO",
    "Geschäftsführer",
    "Assistant",
    "CTO / co-founder",
    "",
];

/// What deals, leads and projects are about.
pub(crate) const SUBJECTS: &[&str] = &[
    "Roof job",
    "Container lease",
    "Renewal 2026",
    "Crane maintenance",
    "Pilot 🚀",
    "Rahmenvertrag",
    "新規契約",
    "Forklift fleet",
    "Cold store",
    "Support plan",
    "Dredging",
    "Quay wall survey",
];

/// Reasons for losing.
pub(crate) const REASONS: &[&str] = &[
    "Price",
    "No budget",
    "Competitor",
    "Went silent…",
    "Timing / \"not now\"",
    "",
];

/// Texts that break naive readers: markup, formulas, control and four-byte characters.
pub(crate) const NASTY: &[&str] = &[
    "=cmd()|' /C calc'!A0",
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "Robert'); DROP TABLE deals;--",
    "<script>alert(1)</script>",
    "line one\nline two\r\nline three\ttabbed",
    "bell\u{7} escape\u{1b}[31m unit\u{1f} end",
    "🧑🏽‍🚀 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎𠜱 e\u{301} \u{202e}desrever",
    "  padded  ",
    "NULL",
    "zero\u{200b}width\u{feff}",
    "../../etc/passwd",
    "back\\slash \"quoted\"",
];

/// Sentences of notes and mails.
pub(crate) const SENTENCES: &[&str] = &[
    "Spoke about the delivery window. ",
    "They want a second offer before the end of the quarter. ",
    "<b>Important:</b> the crane must be certified. ",
    "Ansprechpartner ist ab März im Urlaub. ",
    "次回の打ち合わせは来週です。",
    "<ul><li>price</li><li>terms &amp; conditions</li></ul>",
    "Merci de rappeler demain à 9&nbsp;h. ",
    "👍 agreed on the phone. ",
    "See <a href=\"https://example.com/?a=1&amp;b=2\">the sheet</a>. ",
];

/// Products: name and code.
pub(crate) const PRODUCTS: &[(&str, &str)] = &[
    ("Tile", "TIL"),
    ("Bollard cap", "BOL"),
    ("Hawser 40 m", "HAW"),
    ("Überwachung", "UEB"),
    ("Crane hour", "CRN"),
    ("Service plan \"Gold\"", "SVG"),
    ("Container 20′", "C20"),
    ("Forklift", "FRK"),
    ("Paint (RAL 5010)", "PNT"),
    ("検査", "INS"),
];

/// Appends the ASCII capitals of a text and leaves the rest: how a hurried colleague types an address.
pub(crate) fn shout(text: &str) -> String {
    text.to_ascii_uppercase()
}
