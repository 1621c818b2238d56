//! Reads one message, as a caller would.

use sms_code::{Message, Service, Verdict, extract};

fn main() {
    let message = Message::new("Your Acme code is 481-207. Don't share it.").sent_by("Acme");
    let extraction = extract(&message, Service::named("google"));
    match &extraction.verdict {
        Verdict::Code(code) => println!("the code is {code}"),
        Verdict::OtherBrand(name) => println!("a message of {name}: not for this service"),
        Verdict::Unsure | Verdict::Nothing => println!("no code"),
    }
    for (candidate, confidence) in extraction.candidates.iter().zip(extraction.confidence()) {
        println!("{} {confidence} of 1000, because {:?}", candidate.code, candidate.reasons);
    }
}
