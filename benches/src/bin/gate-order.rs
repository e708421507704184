//! `gate-order`: the asymmetric form stands on the order of three steps of an owner, which only the compiler could change:
//! it says busy, it looks at the bound, it stores what is left. Read from the machine code of this binary's own admission
//! and release, of which each must have one such window without a call in it.
#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode};

use benches::figure::{Figure, Good};
use benches::subject::{Subject, admit_release};
use enforcer::Form;

fn main() -> ExitCode {
    // So that the linker keeps what is read.
    let subject = Subject::of(Form::Atomic, 1);
    admit_release(&mut subject.worker(), subject.class, 1);
    let value = windows().inspect_err(|error| println!("not to be read: {error}"));
    Figure {
        id: "gate-order",
        value: value.ok(),
        target: 2.0,
        good: Good::AtLeast,
    }
    .finish()
}

fn windows() -> Result<f64, Box<dyn Error>> {
    let output = Command::new("objdump")
        .args(["--disassemble", "--no-show-raw-insn"])
        .arg(env::current_exe()?)
        .output()
        .map_err(|error| format!("objdump (package binutils): {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let code: Vec<Step> = function(&text, "admit_release").map(Step::parse).collect();
    if code.is_empty() {
        return Err("no admit_release in the disassembly".into());
    }
    let found = code
        .iter()
        .enumerate()
        .filter_map(|(at, step)| window(*step, &code[at + 1..]));
    let found: Vec<usize> = found.collect();
    println!(
        "{} instructions; windows of {found:?} instructions",
        code.len()
    );
    Ok(found.len() as f64)
}

/// The lines of the function whose name has this part.
fn function<'a>(text: &'a str, part: &'a str) -> impl Iterator<Item = &'a str> {
    let head = move |line: &&str| line.ends_with(">:") && line.contains(part);
    let body = text.lines().skip_while(move |line| !head(line)).skip(1);
    body.take_while(|line| !line.is_empty())
}

/// An instruction: name, first and second operand, as objdump writes them for x86-64 (AT&T).
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    name: &'a str,
    from: &'a str,
    to: &'a str,
}

impl<'a> Step<'a> {
    fn parse(line: &'a str) -> Self {
        let code = line.split_once(":\t").map_or("", |(_, code)| code);
        let (name, operands) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
        let operands = operands.split('#').next().unwrap_or_default().trim();
        // A comma inside brackets is of the operand.
        let mut depth = 0;
        let comma = operands.find(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        });
        let (from, to) = comma.map_or((operands, ""), |at| (&operands[..at], &operands[at + 1..]));
        Self { name, from, to }
    }

    /// Where it stores a register, or nothing.
    fn stores(self) -> Option<(&'a str, &'a str)> {
        let stores =
            self.name.starts_with("mov") && self.from.starts_with('%') && self.to.ends_with(')');
        stores.then_some((self.from, self.to))
    }

    /// From where it loads, or nothing.
    fn loads(self) -> Option<&'a str> {
        (self.from.ends_with(')') && self.name != "lea").then_some(self.from)
    }
}

/// Displacement, and what is in the brackets.
fn place(operand: &str) -> Option<(i64, &str)> {
    let (displacement, rest) = operand.split_once('(')?;
    let (negative, digits) = displacement
        .strip_prefix('-')
        .map_or((false, displacement), |rest| (true, rest));
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let value = match digits {
        "" => 0,
        _ => i64::from_str_radix(digits, 16).ok()?,
    };
    Some((if negative { -value } else { value }, rest))
}

/// A window that begins with this load of the word, and its length in instructions.
fn window(begin: Step<'_>, code: &[Step<'_>]) -> Option<usize> {
    let word = begin.loads()?;
    let held = begin.to;
    let (at, registers) = place(word)?;
    let mut said_busy = None;
    let mut busy = false;
    let mut looked = false;
    for (length, step) in code.iter().enumerate().take(16) {
        let ended = step.name.starts_with("call") || step.name == "jmp" || step.name == "ret";
        if ended {
            return None;
        }
        if step.name == "lea" && step.from == format!("0x1({held})") {
            said_busy = Some(step.to);
        } else if let Some((register, to)) = step.stores() {
            if !busy {
                // The first store is of the busy word, to where it was read.
                busy = said_busy == Some(register) && to == word;
                if !busy {
                    return None;
                }
            } else {
                // The next one is of what is left.
                return looked.then_some(length + 2);
            }
        } else if let Some(from) = step.loads() {
            let (there, of) = place(from)?;
            // The bound lies behind the word; nothing is read before busy was said.
            looked |= busy && there == at + 8 && of == registers;
            if !looked {
                return None;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "   10:\tmov    0x80(%rax,%r8,1),%rsi\n   11:\tlea    0x1(%rsi),%r9\n   12:\tmov    %r9,0x80(%rax,%r8,1)\n   13:\tmov    0x88(%rax,%r8,1),%r9d\n   14:\tlea    -0x2(%rsi),%r8\n   15:\tcmp    %r9,%r8\n   16:\tjae    2645a <x>\n   17:\tmov    %r8,(%rcx)";

    fn windows(text: &str) -> usize {
        let code: Vec<Step<'_>> = text.lines().map(Step::parse).collect();
        let found = code
            .iter()
            .enumerate()
            .filter(|(at, step)| window(**step, &code[at + 1..]).is_some());
        found.count()
    }

    #[test]
    fn a_window_is_one_in_its_order_alone() {
        assert_eq!(windows(GOOD), 1);
        let mut lines: Vec<&str> = GOOD.lines().collect();
        lines.swap(2, 3);
        assert_eq!(
            windows(&lines.join("\n")),
            0,
            "the bound is read before busy is said"
        );
        let called = GOOD.replace("jae    2645a", "call   2645a");
        assert_eq!(windows(&called), 0, "a call is inside");
        assert_eq!(
            windows(&GOOD.replace("0x88(", "0x90(")),
            0,
            "it is not the bound that is read"
        );
        let lines: Vec<&str> = GOOD
            .lines()
            .filter(|line| !line.contains("%r9,0x80"))
            .collect();
        assert_eq!(windows(&lines.join("\n")), 0, "busy is never said");
    }
}
