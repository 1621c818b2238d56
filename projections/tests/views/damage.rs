//! A changed byte of the file.

use telenumerus_projections::Views;

use crate::log::{Log, parts};

/// The files of views over a log, and what they answer.
fn written(is_killed: bool) -> (std::collections::BTreeMap<String, Vec<u8>>, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut log = Log::of_accounts(4);
    parts(&mut log);
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log.records).unwrap();
    let dump = views.dump().unwrap();
    let read = || {
        let files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
        let named = files.map(|file| {
            (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())
        });
        named.filter(|(name, _)| !name.ends_with("-shm")).collect()
    };
    if is_killed {
        return (read(), dump);
    }
    drop(views);
    (read(), dump)
}

/// Changed bytes of each file in every run; with `TELENUMERUS_EVERY_BYTE` set, every one.
const CASES: usize = 60;

#[test]
fn a_changed_byte_of_the_views_is_never_served() {
    for is_killed in [false, true] {
        let (files, sound) = written(is_killed);
        let (mut anew, mut cases) = (0, 0);
        for (name, bytes) in &files {
            // Most of a page is empty: places where something stands, and a few of the others,
            // another bit each time.
            let places: Vec<usize> =
                (0..bytes.len()).filter(|place| bytes[*place] != 0 || place % 1_009 == 0).collect();
            let step = if std::env::var_os("TELENUMERUS_EVERY_BYTE").is_some() {
                1
            } else {
                (places.len() / CASES) | 1
            };
            for place in places.into_iter().step_by(step) {
                // Thousands of directories: in memory, where there is such a place.
                let memory = std::path::Path::new("/dev/shm");
                let directory = if memory.is_dir() {
                    tempfile::tempdir_in(memory)
                } else {
                    tempfile::tempdir()
                }
                .unwrap();
                for (file, bytes) in &files {
                    std::fs::write(directory.path().join(file), bytes).unwrap();
                }
                let mut changed = bytes.clone();
                changed[place] ^= 1 << (place % 8);
                std::fs::write(directory.path().join(name), changed).unwrap();
                let views = Views::open(directory.path()).unwrap();
                cases += 1;
                if views.checkpoint().borrow().0 == 0 {
                    anew += 1;
                } else {
                    assert_eq!(views.dump().unwrap(), sound, "{name}, byte {place}");
                }
            }
        }
        assert!(
            anew > 5 && anew < cases,
            "{anew} of {cases}: the changes did not strike, or any change starts them anew"
        );
    }
}
