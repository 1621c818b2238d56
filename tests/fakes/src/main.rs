//! The stand-ins as a process of their own, for judges in other languages: prints where they are,
//! and runs until its input ends.
//!
//! `fakes past DIRECTORY ACCOUNTS` writes a log instead, and prints how many events it has; `fakes
//! read DIRECTORY` reads it, and prints how many in a second.

use std::io::Read;
use std::path::Path;

use telenumerus_fakes::telecom::Telecom;
use telenumerus_fakes::{Faults, past, serve};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["past", directory, accounts] => {
            let accounts = accounts.parse().map_err(std::io::Error::other)?;
            println!("{}", runtime.block_on(past::write(Path::new(directory), accounts)));
            return Ok(());
        }
        ["read", directory] => {
            println!("{:.0}", runtime.block_on(past::events_per_second(Path::new(directory))));
            return Ok(());
        }
        _ => {}
    }
    let for_sale =
        ["+12025550101", "+12025550102", "+12025550103", "+447700900101", "+447700900102"];
    println!("http://{}", serve(Telecom::new(&for_sale, Faults::default(), 1).router()));
    // Whoever started it has gone when its input ends.
    std::io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
