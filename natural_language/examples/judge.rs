//! Reads `wanted<TAB>sentence` lines on stdin and says which are read otherwise, with `--explain`
//! also how: for work on the word lists.

use std::io::BufRead;

fn main() {
    let (mut right, mut all, mut unwanted) = (0, 0, 0);
    for line in std::io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let parts: Vec<&str> = line.split('\t').collect();
        let [.., wanted, sentence] = parts.as_slice() else { continue };
        let read = telenumerus_natural_language::understand(sentence);
        let told = match &read {
            Ok(order) => format!(
                "{} {}",
                order.platform,
                if order.country_named { order.country.code() } else { "-" }
            ),
            Err(refused) => format!("!{}", refused.reason.name()),
        };
        let is_right = told == *wanted || (wanted.starts_with('!') && told.starts_with('!'));
        all += 1;
        right += usize::from(is_right);
        unwanted += usize::from(wanted.starts_with('!') && !told.starts_with('!'));
        if !is_right || (told != *wanted && wanted.len() > 1) {
            let named = read
                .err()
                .map(|refused| format!(" {:?} {:?}", refused.platforms, refused.countries))
                .unwrap_or_default();
            if std::env::args().any(|argument| argument == "--explain") {
                println!("    {}", telenumerus_natural_language::explain(sentence));
            }
            println!(
                "{} {sentence}: wanted {wanted}, got {told}{named}",
                if is_right { "~" } else { "x" }
            );
        }
    }
    println!("{right} of {all}, {unwanted} unwanted orders");
}
