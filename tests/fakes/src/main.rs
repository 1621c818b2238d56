//! The stand-ins as a process of their own, for judges in other languages: prints where they are, and runs until its input ends.

use std::io::Read;

use telenumerus_fakes::telecom::Telecom;
use telenumerus_fakes::{Faults, serve};

fn main() -> std::io::Result<()> {
    let for_sale = ["+12025550101", "+12025550102", "+12025550103", "+447700900101", "+447700900102"];
    println!("http://{}", serve(Telecom::new(&for_sale, Faults::default(), 1).router()));
    // Whoever started it has gone when its input ends.
    std::io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
