//! What was written is read back; what was damaged, cut or made up is told, and never read as something else.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn at(us: i64) -> Instant {
    Instant::from_unix_us(1_700_000_000_000_000 + us).unwrap()
}

fn about() -> About {
    About {
        connection: "acme".to_owned(),
        connector: "test 1.0.0".to_owned(),
        endpoints: [("api".to_owned(), "https://api.vendor.test/base".to_owned())].into(),
        begun_at: at(0),
    }
}

fn exchange(number: u64, path: &str, outcome: Outcome) -> Exchange {
    Exchange {
        number,
        asked: Asked {
            endpoint: "api".to_owned(),
            method: Method::Post,
            path: path.to_owned(),
            headers: vec![("accept".to_owned(), "a/b".to_owned())],
            body: Some(b"{\n}".to_vec()),
        },
        outcome,
        timing: Timing {
            ended_at: at(7 * number as i64),
            took_ms: 3,
        },
    }
}

fn answer(body: &[u8]) -> Outcome {
    Outcome::Answer {
        status: 200,
        headers: vec![("x-a".to_owned(), "é\n".to_owned())],
        body: body.to_vec(),
    }
}

fn failure() -> Outcome {
    Outcome::Failure {
        kind: FailureKind::RateLimited,
        message: "wait".to_owned(),
        retry_after_ms: Some(9),
    }
}

fn tape(exchanges: &[Exchange]) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &about()).unwrap();
    for exchange in exchanges {
        writer.exchange(exchange).unwrap();
    }
    writer.end().unwrap()
}

fn some() -> Vec<Exchange> {
    vec![
        exchange(1, "/a?x=1", answer(b"plain\nlines\n")),
        exchange(2, "/b", failure()),
        exchange(3, "/c", answer(&[0, 255, 10, 13, 0])),
        exchange(4, "/d", answer(b"")),
    ]
}

fn read(bytes: &[u8]) -> Result<Vec<Exchange>, TapeError> {
    let mut reader = Reader::open(Cursor::new(bytes), "test.tape")?;
    let mut found = Vec::new();
    while let Some((_, exchange)) = reader.next_exchange()? {
        found.push(exchange);
    }
    Ok(found)
}

#[test]
fn what_was_recorded_is_read_byte_for_byte_and_in_any_order() {
    let bytes = tape(&some());
    let mut reader = Reader::open(Cursor::new(&bytes), "test.tape").unwrap();
    assert_eq!(reader.about(), &about());
    let mut places = Vec::new();
    while let Some((place, exchange)) = reader.next_exchange().unwrap() {
        places.push((place, exchange));
        // Going back does not disturb going on.
        let (first, expected) = &places[0];
        assert_eq!(&reader.exchange_at(*first).unwrap(), expected);
    }
    let found: Vec<_> = places.into_iter().map(|(_, exchange)| exchange).collect();
    assert_eq!(found, some());
    assert!(
        reader.next_exchange().unwrap().is_none(),
        "the end stays the end"
    );
}

#[test]
fn a_cut_tape_gives_what_it_has_and_then_says_so() {
    let whole = tape(&some());
    let opened = tape(&[]).len() - b"0123456789abcdef {\"is\":\"end\",\"exchanges\":0}\n\n".len();
    for length in 0..whole.len() {
        let error = read(&whole[..length]).unwrap_err();
        if length < opened {
            let expected = matches!(
                error,
                TapeError::Cut { after: 0, .. } | TapeError::NotATape { .. }
            );
            assert!(expected, "{length}: {error}");
        } else {
            assert!(matches!(error, TapeError::Cut { .. }), "{length}: {error}");
        }
    }
}

#[test]
fn a_damaged_tape_is_told_wherever_the_damage_is() {
    let whole = tape(&some());
    for at in 0..whole.len() {
        for bit in [0x01, 0x20] {
            let mut damaged = whole.clone();
            damaged[at] ^= bit;
            assert!(read(&damaged).is_err(), "byte {at} changed unnoticed");
        }
    }
}

#[test]
fn entries_that_were_taken_out_or_put_in_are_noticed() {
    let (one, two) = (tape(&some()[..1]), tape(&some()[..2]));
    let first_end = one.len() - tape(&[]).len() + about_bytes();
    let without_first = [&two[..about_bytes()], &two[first_end..]].concat();
    let twice = [&two[..first_end], &two[about_bytes()..]].concat();
    for made_up in [without_first, twice] {
        assert!(matches!(read(&made_up), Err(TapeError::Broken { .. })));
    }
    let after_its_end = [one.as_slice(), b"rest"].concat();
    assert_eq!(
        read(&after_its_end).unwrap().len(),
        1,
        "what follows the end mark is nobody's"
    );
}

fn about_bytes() -> usize {
    let bytes = tape(&[]);
    let end = b"\n\n";
    bytes
        .windows(2)
        .position(|pair| pair == end)
        .map(|at| at + 2)
        .unwrap()
}

#[test]
fn other_files_and_other_formats_are_refused() {
    for text in [
        "",
        "\n",
        "SQLite format 3\0",
        "longshore-tape",
        "longshore-tape 1",
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, TapeError::NotATape { .. }),
            "{text:?}: {error}"
        );
    }
    for text in [
        "longshore-tape 2\n",
        "longshore-tape 01\n",
        "longshore-tape \u{1b}[0m\n",
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, TapeError::Version { .. }),
            "{text:?}: {error}"
        );
        assert!(!error.to_string().contains('\u{1b}'));
    }
}

#[test]
fn announced_sizes_are_not_believed() {
    let entry = |head: &str| {
        let check = check_of(head.as_bytes(), [&[], &[]]);
        [
            &tape(&[])[..about_bytes()],
            format!("{check} {head}\n\n").as_bytes(),
        ]
        .concat()
    };
    let head = |bytes: u64| {
        format!(
            "{{\"is\":\"exchange\",\"number\":1,\"asked\":{{\"endpoint\":\"api\",\"method\":\"GET\",\"path\":\"/\",\"headers\":[]}},\"answer\":{{\"status\":200,\"headers\":[],\"body_bytes\":{bytes}}},\"timing\":{{\"ended_at\":\"2026-01-01T00:00:00Z\",\"took_ms\":1}}}}"
        )
    };
    assert!(matches!(
        read(&entry(&head(u64::MAX))),
        Err(TapeError::Broken { .. })
    ));
    assert!(matches!(
        read(&entry(&head(100 << 20))),
        Err(TapeError::Cut { .. })
    ));
    assert!(matches!(
        read(&entry(&head(0))),
        Err(TapeError::Cut { after: 1, .. })
    ));
}

#[test]
fn requests_are_the_same_only_when_everything_is() {
    let base = exchange(1, "/a", failure()).asked;
    let mut others = vec![base.clone(); 6];
    others[0].endpoint = "apj".to_owned();
    others[1].method = Method::Get;
    others[2].path = "/a?".to_owned();
    others[3].body = None;
    others[4].body = Some(Vec::new());
    others[5].headers.clear();
    let mut keys: Vec<_> = others.iter().map(Asked::key).collect();
    keys.push(base.key());
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 7);
    assert_eq!(base.key(), base.clone().key());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// The bounded half of the fuzz target `tape`.
    #[test]
    fn any_bytes_are_read_or_refused(tail in prop::collection::vec(any::<u8>(), 0..600), whole in any::<bool>(), from in 0_usize..4000, cut in 0_usize..4000) {
        let mut bytes = if whole { tape(&some()) } else { format!("{MAGIC}{VERSION}\n").into_bytes() };
        let from = from.min(bytes.len());
        let to = (from + cut % 8).min(bytes.len());
        bytes.splice(from..to, tail);
        if let Ok(exchanges) = read(&bytes) {
            // Nothing was damaged, or the damage lies behind the end mark.
            prop_assert!(whole);
            prop_assert_eq!(exchanges, some());
        }
    }

    #[test]
    fn any_exchange_comes_back(path in "\\PC{0,40}", body in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)), answered in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut written = exchange(1, &path, answer(&answered));
        written.asked.body = body;
        prop_assert_eq!(read(&tape(&[written.clone()])).unwrap(), vec![written]);
    }
}
