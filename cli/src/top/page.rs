//! The page: lines of a [`Model`] for a screen of this size.
//!
//! What matters is told by words and signs; colours repeat it.

use std::time::Duration;

use licensing::snapshot::{Evaluation, State, TagRow};
use ratatui::Frame;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::model::{Model, Rate, used_permille};
use crate::output::harmless;
use crate::show::license::authorization;
use crate::show::license::status::registration;
use crate::show::{alarms, text};

/// The smallest screen that the page fits.
const LEAST: (u16, u16) = (60, 12);

/// Lines above the rows, their heading among them.
const HEAD: usize = 6;

/// Columns of a row but its name and its bar, the spaces between them among them.
const FIXED: usize = 8 + 8 + 5 + 8 + 9 + 14 + 7;

/// Columns that a wide screen has besides.
const WIDE: usize = 11 + 21 + 17 + 3;

/// From this width on they are there.
const WIDE_FROM: usize = 130;

/// The longest bar.
const BAR_MAX: usize = 60;

/// A service this full, in thousandths of its ceiling, is about to refuse.
const NEARLY_FULL: u64 = 900;

const HELP: &str = "\
Up Down, PgUp PgDn, Home End   other rows
s                              order: catalog, use, refusals
?                              this, and the page again
q, Ctrl-C                      end

Use         sessions of the ceiling in force; none: no ceiling
Admits/s    calls admitted a second between the last two answers
Refused/s   calls refused a second, for any reason of licensing
State       ALLOW, ALLOW-AT-LIMIT (refused until a call ends), BLOCK

The same as text and JSON: tollgate show license enforcement status,
tollgate show alarm outstanding, tollgate show license summary";

/// How many rows there are, and how many of them are shown at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Services and features.
    pub rows: usize,
    /// Shown.
    pub shown: usize,
}

/// Draws the page; tells what room its rows have.
pub fn draw(frame: &mut Frame<'_>, model: &Model, now: Duration) -> Room {
    let area = frame.area();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let said = format!("{width}x{height} is too small: {}x{}", LEAST.0, LEAST.1);
        let lines: Vec<Line<'_>> = text::chunks(&said, width)
            .into_iter()
            .map(Line::from)
            .collect();
        frame.render_widget(Paragraph::new(lines), area);
        return Room::default();
    }
    let page = Page { model, width, now };
    let (lines, room) = match model.help {
        true => (page.help(), Room::default()),
        false => page.lines(height),
    };
    frame.render_widget(Paragraph::new(lines), area);
    room
}

struct Page<'m> {
    model: &'m Model,
    width: usize,
    now: Duration,
}

impl Page<'_> {
    fn help(&self) -> Vec<Line<'static>> {
        let mut lines = vec![self.title(), Line::default()];
        lines.extend(HELP.lines().map(Line::from));
        lines
    }

    fn lines(&self, height: usize) -> (Vec<Line<'static>>, Room) {
        let rows = self.model.rows();
        let alarms = self.alarms();
        // The footer, the empty line above the alarms and their heading are always there.
        let room = height - HEAD - 3;
        let told = alarms.len().max(1);
        let shown = rows
            .len()
            .min(room.saturating_sub(told))
            .max(room / 2)
            .min(rows.len());
        let told = told.min(room - shown);
        let skipped = self.model.skipped.min(rows.len() - shown);

        let mut lines = self.head();
        let columns = self.columns(&rows);
        lines.push(columns.heading(self.model));
        let visible = rows.iter().skip(skipped).take(shown);
        lines.extend(visible.map(|(row, rate)| columns.row(self.model, *row, *rate)));
        lines.push(Line::default());
        lines.push(self.alarms_heading(alarms.len(), told));
        match alarms.is_empty() {
            true => lines.push(Line::from("(none)")),
            false => lines.extend(alarms.into_iter().take(told)),
        }
        lines.resize(height - 1, Line::default());
        lines.push(self.footer(rows.len(), skipped, shown));
        let rows = rows.len();
        (lines, Room { rows, shown })
    }

    /// Who, when, and what holds for the node as a whole.
    fn head(&self) -> Vec<Line<'static>> {
        let view = &self.model.view;
        let snapshot = &view.snapshot;
        let account = view.agent.status.registered.as_ref();
        let account = account.map_or_else(String::new, |registered| {
            format!(
                ", {} / {}",
                registered.smart_account, registered.virtual_account
            )
        });
        let total = self.model.total();
        let of = |rate: fn(Rate) -> f64| number(total.map(rate));
        let sessions: u64 = snapshot
            .services
            .iter()
            .map(|row| u64::from(row.sessions.0))
            .sum();
        let calls = format!(
            "Sessions {sessions}, emergency {}   Admits/s {}   Refused/s {}",
            snapshot.emergency.sessions,
            of(|rate| rate.admits),
            of(|rate| rate.refusals),
        );
        let authority = format!("{}{account}", registration(view));
        vec![
            self.title(),
            self.field("Registration", &authority, Style::new()),
            self.field("Authorization", &authorization(view), self.trouble()),
            self.field(
                "Evaluation",
                &evaluation(&snapshot.evaluation),
                Style::new(),
            ),
            Line::from(self.fit(&calls)),
        ]
    }

    /// How the authorization stands out.
    fn trouble(&self) -> Style {
        let fine = self
            .model
            .view
            .snapshot
            .rows()
            .all(|row| row.tag().state == State::Allow);
        match fine {
            true => Style::new(),
            false => self.coloured(Color::Yellow).add_modifier(Modifier::BOLD),
        }
    }

    fn title(&self) -> Line<'static> {
        let snapshot = &self.model.view.snapshot;
        let left = format!(
            " tollgate top   {}   {}",
            snapshot.node.name,
            text::heading_stamp(snapshot.at.wall)
        );
        let right = match self.old() {
            Some(age) => format!("STALE {}  ", text::span(age.as_secs())),
            None => format!("every {} s  ", self.model.interval.as_secs_f64()),
        };
        let left = cut(&left, self.width.saturating_sub(right.width() + 1));
        let gap = self.width.saturating_sub(left.width() + right.width());
        let line = format!("{left}{}{right}", " ".repeat(gap));
        let style = Style::new().add_modifier(Modifier::REVERSED);
        Line::styled(line, style)
    }

    /// How old what is shown is, if it is older than it should be.
    fn old(&self) -> Option<Duration> {
        let model = self.model;
        if let Some(stalled) = model.view.stalled_ms {
            return Some(Duration::from_millis(stalled) + self.now.saturating_sub(model.answered));
        }
        let failed = model.failure.is_some();
        failed.then(|| self.now.saturating_sub(model.answered))
    }

    fn field(&self, label: &str, said: &str, style: Style) -> Line<'static> {
        let label = format!("{label:<14} ");
        let said = cut(&harmless(said), self.width.saturating_sub(label.width()));
        Line::from(vec![Span::raw(label), Span::styled(said, style)])
    }

    fn fit(&self, line: &str) -> String {
        cut(&harmless(line), self.width)
    }

    fn coloured(&self, color: Color) -> Style {
        match self.model.colour {
            true => Style::new().fg(color),
            false => Style::new(),
        }
    }

    /// One line an alarm, the most urgent first.
    fn alarms(&self) -> Vec<Line<'static>> {
        let mut alarms = alarms::brief(&self.model.view);
        alarms.sort_by_key(|alarm| alarm.severity);
        let lines = alarms.into_iter().map(|alarm| {
            let severity = alarms::short(alarm.severity);
            let line = format!("{severity:<3} {:<24} {}", alarm.object, alarm.event);
            let style = match severity {
                "CR" | "MJ" => self.coloured(Color::Red),
                _ => self.coloured(Color::Yellow),
            };
            Line::styled(self.fit(&line), style)
        });
        lines.collect()
    }

    fn alarms_heading(&self, alarms: usize, told: usize) -> Line<'static> {
        let more = alarms.saturating_sub(told);
        let said = match more {
            0 => format!("Alarms {alarms}"),
            _ => format!("Alarms {alarms}, {more} more: tollgate show alarm outstanding"),
        };
        let style = Style::new().add_modifier(Modifier::BOLD);
        Line::styled(self.fit(&said), style)
    }

    /// Why there is no answer; else what may be pressed.
    fn footer(&self, rows: usize, skipped: usize, shown: usize) -> Line<'static> {
        let style = Style::new().add_modifier(Modifier::REVERSED);
        let said = match &self.model.failure {
            Some(failure) => format!(" {failure}"),
            None if self.model.view.stalled_ms.is_some() => {
                " The control thread does not work: these are its last numbers".to_owned()
            }
            None => format!(
                " q end   ? help   s order: {}   rows {} to {} of {rows}",
                self.model.order.words(),
                (skipped + 1).min(rows),
                skipped + shown,
            ),
        };
        let said = self.fit(&said);
        let gap = self.width.saturating_sub(said.width());
        Line::styled(format!("{said}{}", " ".repeat(gap)), style)
    }

    fn columns(&self, rows: &[(TagRow<'_>, Option<Rate>)]) -> Columns {
        let names = rows.iter().map(|(row, _)| row.tag().name.width());
        let wide = self.width >= WIDE_FROM;
        let fixed = FIXED + if wide { WIDE } else { 0 };
        let name = names.max().unwrap_or(0).clamp(7, 19);
        // A name gives way to a bar of 6.
        let name = name.min(self.width.saturating_sub(fixed + 6)).max(7);
        let bar = self.width.saturating_sub(fixed + name).min(BAR_MAX);
        Columns { name, bar, wide }
    }
}

/// How wide the columns are.
struct Columns {
    name: usize,
    bar: usize,
    wide: bool,
}

impl Columns {
    fn heading(&self, model: &Model) -> Line<'static> {
        let (name, bar) = (self.name, self.bar + 6);
        let mut line = format!(
            "{:<name$} {:>8} {:>8} {:<bar$} {:>8} {:>9} {:<14}",
            "Name", "Sessions", "Ceiling", "Use", "Admits/s", "Refused/s", "State",
        );
        if self.wide {
            let more = format!(
                " {:>11} {:<21} {:<17}",
                "Licenses", "Compliance", "Grace left"
            );
            line.push_str(&more);
        }
        let style = Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        let style = match model.colour {
            true => style.fg(Color::Cyan),
            false => style,
        };
        Line::styled(line, style)
    }

    fn row(&self, model: &Model, row: TagRow<'_>, rate: Option<Rate>) -> Line<'static> {
        let tag = row.tag();
        let used = used_permille(row);
        let (ceiling, admits) = match row {
            TagRow::Service(service) => (
                text::ceiling(service.ceiling),
                number(rate.map(|rate| rate.admits)),
            ),
            TagRow::Feature(_) => ("feature".to_owned(), text::ABSENT.to_owned()),
        };
        let width = self.name;
        let name = pad(&cut(&harmless(&tag.name), width), width);
        let head = format!("{name} {:>8} {ceiling:>8} ", row.sessions().to_string());
        let filled = used.map_or(0, |used| bar_filled(used, self.bar.saturating_sub(2)));
        let bar = match row {
            TagRow::Service(_) if used.is_some() && self.bar >= 4 => {
                let empty = self.bar - 2 - filled;
                format!("[{}{}]", "#".repeat(filled), ".".repeat(empty))
            }
            TagRow::Service(_) | TagRow::Feature(_) => " ".repeat(self.bar),
        };
        let percent = used.map_or_else(
            || format!("{:>5}", text::ABSENT),
            |used| format!("{:>4}%", used / 10),
        );
        let refusals = number(rate.map(|rate| rate.refusals));
        let rates = format!(" {percent} {admits:>8} {refusals:>9} ");
        let paint = |color: Color| match model.colour {
            true => Style::new().fg(color),
            false => Style::new(),
        };
        let of_bar = match used {
            Some(used) if used >= 1_000 => paint(Color::Red),
            Some(used) if used >= NEARLY_FULL => paint(Color::Yellow),
            Some(_) | None => paint(Color::Green),
        };
        let (state, of_state) = match tag.state {
            State::Allow => ("ALLOW", Style::new()),
            State::AllowAtLimit => (
                "ALLOW-AT-LIMIT",
                paint(Color::Yellow).add_modifier(Modifier::BOLD),
            ),
            State::Block => ("BLOCK", paint(Color::Red).add_modifier(Modifier::BOLD)),
        };
        let mut spans = vec![
            Span::raw(head),
            Span::styled(bar, of_bar),
            Span::raw(rates),
            Span::styled(format!("{state:<14}"), of_state),
        ];
        if self.wide {
            let owned = tag.entitlement.map(|granted| granted.licenses.0);
            let licenses = format!("{} of {}", tag.licenses.0, text::or_absent(owned));
            let compliance = tag.compliance.map_or(text::ABSENT, text::compliance);
            let grace = text::or_absent(tag.grace_left_s.map(text::rough_span));
            let grace = cut(&grace, 17);
            spans.push(Span::raw(format!(
                " {licenses:>11} {compliance:<21} {grace:<17}"
            )));
        }
        Line::from(spans)
    }
}

/// Signs of a bar: the last one only of what is full, the first one of whatever is not empty.
fn bar_filled(permille: u64, signs: usize) -> usize {
    let filled = permille.min(1_000) * signs as u64 / 1_000;
    let least = u64::from(permille > 0).min(signs as u64);
    usize::try_from(filled.max(least)).unwrap_or(signs)
}

fn evaluation(evaluation: &Evaluation) -> String {
    let left = text::rough_span(evaluation.remaining_s);
    match (evaluation.expired, evaluation.running) {
        (true, _) => "used up".to_owned(),
        (false, true) => format!("{left} left, running"),
        (false, false) => format!("{left} left, stopped"),
    }
}

/// A rate, or `-`.
fn number(rate: Option<f64>) -> String {
    match rate {
        None => text::ABSENT.to_owned(),
        Some(rate) if rate > 0.0 && rate < 10.0 => format!("{rate:.1}"),
        Some(rate) => format!("{rate:.0}"),
    }
}

/// Its beginning, if it is wider than this; the end is told by `~`.
fn cut(said: &str, width: usize) -> String {
    if said.width() <= width {
        return said.to_owned();
    }
    let mut out = String::new();
    let mut taken = 0;
    for letter in said.chars() {
        let more = letter.width().unwrap_or(0);
        if taken + more + 1 > width {
            break;
        }
        taken += more;
        out.push(letter);
    }
    if width > 0 {
        out.push('~');
    }
    out
}

/// With spaces behind it, so that it is this wide.
fn pad(said: &str, width: usize) -> String {
    let gap = width.saturating_sub(said.width());
    format!("{said}{}", " ".repeat(gap))
}
