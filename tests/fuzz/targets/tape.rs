//! Tapes of strangers: read or refused, and what is read can be written and read again. The check digits are not looked at in this build
//! (`cfg(fuzzing)`), so that the fuzzer gets behind them.
#![no_main]

use std::io::Cursor;

use egress::tape::{Exchange, Reader, Writer};
use libfuzzer_sys::fuzz_target;

fn read(bytes: &[u8]) -> Option<(egress::tape::About, Vec<Exchange>)> {
    let mut reader = Reader::open(Cursor::new(bytes), "fuzz").ok()?;
    let mut found = Vec::new();
    loop {
        match reader.next_exchange() {
            Ok(Some((place, exchange))) => {
                assert_eq!(reader.exchange_at(place).expect("it was just read"), exchange);
                found.push(exchange);
            }
            Ok(None) => return Some((reader.about().clone(), found)),
            Err(_) => return None,
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((about, exchanges)) = read(bytes) else {
        return;
    };
    let mut writer = Writer::begin(Vec::new(), &about).expect("memory takes it");
    for exchange in &exchanges {
        writer.exchange(exchange).expect("memory takes it");
    }
    let written = writer.end().expect("memory takes it");
    assert_eq!(read(&written), Some((about, exchanges)));
});
