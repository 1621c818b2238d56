//! The runtime of processes, with one that does what a script says.

use parking_lot::Mutex;

use super::*;
use crate::store::AppendError;

impl Key for u32 {
    fn bits(self) -> u128 {
        self.into()
    }
}

/// What steps did, in order.
type Seen = Arc<Mutex<Vec<String>>>;

/// Does what the texts it is told say, one a step.
struct Scripted {
    script: Vec<&'static str>,
    seen: Seen,
    clock: Clock,
}

impl Process for Scripted {
    type Key = u32;
    type Memo = ();
    type Message = &'static str;

    const NAME: &'static str = "script";

    fn told(&mut self, message: &'static str) {
        self.script.push(message);
    }

    async fn step(&mut self) -> Result<Next, Fault> {
        let Some(line) = self.script.first().copied() else { return Ok(Next::Wait(None)) };
        self.seen.lock().push(line.to_owned());
        self.script.remove(0);
        match line {
            "fail" => Err(Fault::from(AppendError::Conflict { actual: None })),
            "wait" => Ok(Next::Wait(Some(self.clock.elapsed().plus(Duration::from_secs(5))))),
            "end" => Ok(Next::Done),
            line => {
                assert!(line != "bug", "a bug");
                Ok(Next::Again)
            }
        }
    }

    async fn ended(&mut self) {
        self.seen.lock().push("ended".to_owned());
    }
}

struct Stage {
    processes: Processes<Scripted>,
    seen: Seen,
    clock: Clock,
}

impl Stage {
    fn new(second: &'static [&'static str]) -> Self {
        let clock = Clock::simulated(events::time::Timestamp::default());
        let (processes, seen) = (Processes::new(clock), Seen::default());
        let restarting = processes.clone();
        let restart = move |seen: Seen, key, ()| {
            let process = Scripted { script: second.to_vec(), seen, clock };
            let processes: Processes<Scripted> = restarting.clone();
            async move {
                let process = || async { Ok::<_, Fault>(process) };
                processes.run(key, (), process).await.map(drop)
            }
        };
        processes.start(&seen, |_, _| (), restart);
        Self { processes, seen, clock }
    }

    async fn run(&self, script: &[&'static str]) -> bool {
        let process =
            Scripted { script: script.to_vec(), seen: Arc::clone(&self.seen), clock: self.clock };
        self.processes.run(1, (), || async { Ok::<_, Fault>(process) }).await.unwrap()
    }

    async fn quiet(&self) -> Vec<String> {
        tokio::time::sleep(Duration::from_mins(1)).await;
        self.seen.lock().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn steps_follow_each_other_to_the_end_and_waits_end_by_themselves() {
    let stage = Stage::new(&[]);
    assert!(stage.run(&["one", "wait", "two", "fail", "three", "end"]).await);
    assert!(!stage.run(&["another"]).await, "there is one for a key");
    assert_eq!(stage.quiet().await, ["one", "wait", "two", "fail", "three", "end", "ended"]);
    assert!(stage.processes.is_empty() && stage.processes.alarm().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_it_is_told_as_it_is_about_to_leave_is_read() {
    let stage = Stage::new(&[]);
    stage.run(&["end"]).await;
    assert_eq!(stage.processes.tell(1, "late"), Some(true));
    assert_eq!(stage.quiet().await, ["end", "late"]);
    assert_eq!(stage.processes.tell(1, "end"), Some(true));
    assert_eq!(stage.quiet().await, ["end", "late", "end", "ended"]);
    assert_eq!(stage.processes.tell(1, "gone"), None);
    assert!(!stage.processes.wake(1));
}

#[tokio::test(start_paused = true)]
async fn another_takes_the_place_of_one_that_a_bug_has_ended() {
    let stage = Stage::new(&["again", "end"]);
    stage.run(&["one", "bug"]).await;
    assert_eq!(stage.quiet().await, ["one", "bug", "again", "end", "ended"]);
}
