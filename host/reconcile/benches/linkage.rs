//! The matcher on a million contacts, a tenth of them duplicates with typing errors: records a second, CPU time, peak memory, and how
//! right it is.
//!
//! Contacts live in households and work for companies, so that unrelated ones share addresses, telephones and domains. It measures and
//! prints; it judges nothing. `cargo bench -p reconcile --bench linkage -- 100000` takes fewer.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints what its clock says"
)]

use std::hint::black_box;
use std::time::Instant;

use reconcile::linkage::{Band, Column, DateOrder, Kind, Options, Records, judge_clusters, link};

const RECORDS: u64 = 1_000_000;
/// One record in so many is another one's duplicate.
const DUPLICATES: u64 = 10;
const COLUMNS: [(&str, Kind); 10] = [
    ("first_name", Kind::GivenName),
    ("last_name", Kind::Surname),
    ("email", Kind::Email),
    ("phone", Kind::Phone),
    ("date_of_birth", Kind::Date(DateOrder::DayFirst)),
    ("company", Kind::Company),
    ("street", Kind::AddressLine),
    ("city", Kind::City),
    ("postcode", Kind::Postcode),
    ("state", Kind::Category),
];

/// SplitMix64: the same numbers in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Small numbers far more often than large ones, as names are.
    fn skewed(&mut self, bound: u64) -> u64 {
        let share = self.below(1 << 20) as f64 / f64::from(1 << 20);
        ((bound as f64) * share * share) as u64
    }
}

/// The name of that number: the same syllables for the same number.
fn word(kind: u64, number: u64) -> String {
    const STARTS: [&str; 20] = [
        "b", "br", "c", "ch", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "st",
        "t", "v", "w",
    ];
    const MIDDLES: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "ea", "ou"];
    const ENDS: [&str; 10] = ["n", "r", "l", "s", "t", "rd", "ll", "m", "ck", "nd"];
    let mut draw = Draw((kind << 40) | number);
    let mut word = String::new();
    for _ in 0..2 + draw.below(2) {
        word.push_str(STARTS[draw.below(20) as usize]);
        word.push_str(MIDDLES[draw.below(8) as usize]);
    }
    word.push_str(ENDS[draw.below(10) as usize]);
    word
}

/// The contact of that number. One in four lives with the one before, one in two works where hundreds do.
fn contact(number: u64) -> [String; 10] {
    let mut own = Draw((number << 8) | 1);
    let mut home = Draw((number - u64::from(number % 4 == 3)) << 8 | 2);
    let given = word(1, own.skewed(2_000));
    let surname = word(2, home.skewed(60_000));
    let firm = own.skewed(40_000);
    let company = word(3, firm);
    let city = home.skewed(3_000);
    let works = own.below(2) == 0;
    let email = match own.below(5) {
        0 => String::new(),
        1 | 2 => format!("{given}.{surname}@{company}.com"),
        3 => format!("{}{surname}{}@gmail.com", &given[..1], own.below(1_000)),
        _ => format!(
            "{given}{}@{}.net",
            own.below(100_000),
            word(4, own.below(5_000))
        ),
    };
    let phone = if own.below(4) == 0 {
        String::new()
    } else {
        format!("+61 {} {:07}", 2 + city % 7, home.below(10_000_000))
    };
    let year = 1930 + own.below(75);
    let dated = own.below(3) > 0;
    [
        given,
        surname,
        email,
        phone,
        if dated {
            format!("{year}-{:02}-{:02}", 1 + own.below(12), 1 + own.below(28))
        } else {
            String::new()
        },
        if works {
            format!("{company} Pty Ltd")
        } else {
            String::new()
        },
        format!(
            "{} {} street",
            1 + home.below(200),
            word(5, home.skewed(20_000))
        ),
        word(6, city),
        format!("{:04}", 1_000 + city * 2 + home.below(2)),
        ["nsw", "vic", "qld", "wa", "sa", "tas", "act"][(city % 7) as usize].to_owned(),
    ]
}

/// One slip of the finger.
fn slip(text: &str, draw: &mut Draw) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = draw.below(letters.len() as u64) as usize;
    match draw.below(4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, char::from(b'a' + draw.below(26) as u8)),
        2 if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => letters[at] = char::from(b'a' + draw.below(26) as u8),
    }
    letters.into_iter().collect()
}

/// The contact as somebody else typed it: one to four fields with a slip, gone, or changed since.
fn again(number: u64) -> [String; 10] {
    let mut draw = Draw(number << 8 | 3);
    let mut fields = contact(number);
    for _ in 0..1 + draw.below(4) {
        let at = draw.below(10) as usize;
        fields[at] = match draw.below(5) {
            0 => String::new(),
            1 => contact(number + 7_777)[at].clone(),
            _ if fields[at].is_empty() => String::new(),
            _ => slip(&fields[at], &mut draw),
        };
    }
    if draw.below(20) == 0 {
        fields.swap(0, 1);
    }
    fields
}

/// Peak memory in MiB and CPU seconds of this process, as Linux tells them.
fn spent() -> (u64, f64) {
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let ticks = read("stat");
    let after_name = ticks.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|number| number.parse::<f64>().ok()).sum();
    (peak.unwrap_or(0) / 1024, ticks / 100.0)
}

fn main() {
    let wanted = std::env::args().find_map(|argument| argument.parse::<u64>().ok());
    let count = wanted.unwrap_or(RECORDS);
    let originals = count - count / DUPLICATES;
    let columns = COLUMNS.map(|(name, kind)| Column {
        name: name.to_owned(),
        kind,
    });
    let mut records = Records::new(columns.to_vec()).expect("ten columns");
    let make = |number: u64| match number.checked_sub(originals) {
        None => (number, contact(number)),
        Some(copy) => (copy * 7 % originals, again(copy * 7 % originals)),
    };
    // Made once for nothing, to know what that costs.
    let before = spent().1;
    (0..count).for_each(|number| drop(black_box(make(number))));
    let made = spent().1;
    for number in 0..count {
        let (number, fields) = make(number);
        let id = format!("{number}-{}", records.len());
        records.push(&id, fields.iter().map(String::as_str));
    }
    let (loaded_mib, loaded) = spent();
    let taken_in = (loaded - made) - (made - before);
    println!("{count} contacts taken in: {taken_in:.1} CPU s, {loaded_mib} MiB");
    let start = Instant::now();
    let linkage = link(records, Options::default()).expect("ids differ");
    let (seconds, (peak_mib, cpu)) = (start.elapsed().as_secs_f64(), spent());
    println!(
        "matched: {:.1} s, {:.1} CPU s, {:.0} records/s, peak {peak_mib} MiB; {} pairs compared, {} kept, {} linked, {} to review, {} clusters",
        seconds,
        cpu - loaded,
        count as f64 / seconds,
        linkage.compared(),
        linkage.pairs().len(),
        linkage.count(Band::Link),
        linkage.count(Band::Review),
        linkage.clusters().len(),
    );
    let quality = judge_clusters(&linkage, |id| id.split('-').next());
    println!(
        "precision {:.4}, recall {:.4}, F1 {:.4}",
        quality.precision(),
        quality.recall(),
        quality.f1()
    );
}
