//! A table as a picture: lines over numbers, bars beside names.

use anyhow::{Result, anyhow, ensure};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::data::{Cell, Plot, Table};

const WIDTH: u32 = 860;
const HEIGHT: u32 = 420;
/// Of one row of bars.
const BAR_ROW: u32 = 14;
/// For the names of bars.
const NAMES_WIDTH: u32 = 270;
const FONT: &str = "sans-serif";
/// Told apart by those who don't see all colours too (after Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One column of values over another, with its spread.
struct Curve<'a> {
    name: &'a str,
    points: Vec<Point>,
}

#[derive(Clone, Copy)]
struct Point {
    /// For bars: the row.
    x: f64,
    y: f64,
    spread: Option<(f64, f64)>,
}

/// The table's picture, as SVG.
pub fn svg(table: &Table, plot: &Plot) -> Result<String> {
    let place = |name: &str| {
        let lacks = || anyhow!("table {}: no column {name:?}", table.id);
        table.place(name).ok_or_else(lacks)
    };
    let x = place(&plot.x)?;
    let names: Vec<&str> = table.rows.iter().filter_map(|row| text(row, x)).collect();
    let by_name = !names.is_empty();
    let mut curves = Vec::new();
    for series in &plot.y {
        let y = place(&series.column)?;
        let spread = match &series.spread {
            None => None,
            Some([low, high]) => Some((place(low)?, place(high)?)),
        };
        let rows = (0..).zip(&table.rows);
        let points = rows.filter_map(|(row, cells)| {
            Some(Point {
                x: if by_name {
                    f64::from(row)
                } else {
                    number(cells, x)?
                },
                y: number(cells, y)?,
                spread: spread
                    .and_then(|(low, high)| Some((number(cells, low)?, number(cells, high)?)))
                    // One down to nothing has no place on a logarithmic axis.
                    .filter(|(low, _)| !plot.y_log || *low > 0.0),
            })
        });
        curves.push(Curve {
            name: &series.column,
            points: points.collect(),
        });
    }
    let all = || curves.iter().flat_map(|curve| &curve.points);
    ensure!(
        all().next().is_some(),
        "table {}: there is nothing to draw",
        table.id
    );
    let log_x = plot.x_log && all().all(|point| point.x > 0.0);
    let log_y = plot.y_log && all().all(|point| point.y > 0.0);
    let height = if by_name {
        90 + BAR_ROW * (names.len() * (curves.len() + 1)) as u32
    } else {
        HEIGHT
    };
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let drawn = |error| anyhow!("table {}: not drawn: {error}", table.id);
        root.fill(&WHITE)
            .map_err(|error| drawn(error.to_string()))?;
        let picture = Picture {
            title: &table.title,
            plot,
            curves: &curves,
        };
        let (low, high) = extent(all().flat_map(Point::heights), log_y);
        let result = if by_name {
            picture.bars(&root, &names, (low, high), log_y)
        } else {
            let (left, right) = extent(all().map(|point| point.x), log_x);
            // The horizontal axis ends where the data do.
            match (log_x, log_y) {
                (false, false) => picture.lines(&root, left..right, low..high),
                (true, false) => picture.lines(
                    &root,
                    (left..right).log_scale().base(base(all())),
                    low..high,
                ),
                (false, true) => picture.lines(&root, left..right, (low..high).log_scale()),
                (true, true) => picture.lines(
                    &root,
                    (left..right).log_scale().base(base(all())),
                    (low..high).log_scale(),
                ),
            }
        };
        result.map_err(drawn)?;
        root.present().map_err(|error| drawn(error.to_string()))?;
    }
    Ok(svg)
}

fn text(row: &[Cell], place: usize) -> Option<&str> {
    match row.get(place)? {
        Cell::Text(text) => Some(text),
        Cell::Number(_) => None,
    }
}

fn number(row: &[Cell], place: usize) -> Option<f64> {
    match row.get(place)? {
        Cell::Number(number) if number.is_finite() => Some(*number),
        Cell::Number(_) | Cell::Text(_) => None,
    }
}

/// Powers of two are marked as such.
fn base<'a>(mut points: impl Iterator<Item = &'a Point>) -> f64 {
    if points.all(|point| point.x.log2().fract() == 0.0) {
        2.0
    } else {
        10.0
    }
}

/// With a margin, from zero unless the axis is logarithmic.
fn extent(values: impl Iterator<Item = f64>, log: bool) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if log {
        return (low / 1.1, high * 1.1);
    }
    let high = if high > 0.0 { high * 1.05 } else { 1.0 };
    (low.min(0.0), high)
}

impl Point {
    fn heights(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.spread.unwrap_or((self.y, self.y));
        [low, self.y, high].into_iter()
    }
}

struct Picture<'a> {
    title: &'a str,
    plot: &'a Plot,
    curves: &'a [Curve<'a>],
}

impl Picture<'_> {
    fn lines<X, Y>(
        &self,
        root: &Area<'_>,
        x: impl AsRangedCoord<CoordDescType = X, Value = f64>,
        y: impl AsRangedCoord<CoordDescType = Y, Value = f64>,
    ) -> Result<(), String>
    where
        X: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let told = |error: DrawingAreaErrorKind<_>| error.to_string();
        let mut chart = ChartBuilder::on(root)
            .caption(self.title, (FONT, 16))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(70)
            .build_cartesian_2d(x, y)
            .map_err(told)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc(&self.plot.x)
            .y_desc(&self.plot.y_label)
            .x_label_formatter(&|value| short(*value))
            .y_label_formatter(&|value| short(*value))
            .label_style((FONT, 12))
            .draw()
            .map_err(told)?;
        for (curve, colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            let line = curve.points.iter().map(|point| (point.x, point.y));
            chart
                .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))
                .map_err(told)?
                .label(curve.name)
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
            let dots = line.map(|at| Circle::new(at, 3, colour.filled()));
            chart.draw_series(dots).map_err(told)?;
            let spreads = curve.points.iter().filter_map(|point| {
                let (low, high) = point.spread?;
                let ends = [(point.x, low), (point.x, high)];
                Some(PathElement::new(ends, colour.stroke_width(1)))
            });
            chart.draw_series(spreads).map_err(told)?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .label_font((FONT, 12))
            .draw()
            .map_err(told)
    }

    fn bars(
        &self,
        root: &Area<'_>,
        names: &[&str],
        (low, high): (f64, f64),
        log: bool,
    ) -> Result<(), String> {
        let rows = 0.0..names.len() as f64;
        if log {
            self.bars_over(root, names, (low..high).log_scale(), rows, low)
        } else {
            self.bars_over(root, names, low..high, rows, low)
        }
    }

    /// Bars lie, so that there is room for their names.
    fn bars_over<X>(
        &self,
        root: &Area<'_>,
        names: &[&str],
        x: impl AsRangedCoord<CoordDescType = X, Value = f64>,
        rows: std::ops::Range<f64>,
        foot: f64,
    ) -> Result<(), String>
    where
        X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let told = |error: DrawingAreaErrorKind<_>| error.to_string();
        let last = rows.end;
        let mut chart = ChartBuilder::on(root)
            .caption(self.title, (FONT, 16))
            .margin(12)
            .margin_left(NAMES_WIDTH)
            .x_label_area_size(42)
            .build_cartesian_2d(x, rows)
            .map_err(told)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .x_desc(&self.plot.y_label)
            .x_label_formatter(&|value| short(*value))
            .label_style((FONT, 12))
            .draw()
            .map_err(told)?;
        // The first row is the top one.
        let share = 1.0 / (self.curves.len() as f64 + 1.0);
        let top = |row: f64, bar: usize| last - row - share * (bar as f64 + 0.5);
        for (bar, (curve, colour)) in self.curves.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let rectangles = curve.points.iter().map(|point| {
                let y = top(point.x, bar);
                Rectangle::new([(foot, y), (point.y, y - share * 0.9)], colour.filled())
            });
            chart
                .draw_series(rectangles)
                .map_err(told)?
                .label(curve.name)
                .legend(|(x, y)| Rectangle::new([(x, y - 4), (x + 12, y + 4)], colour.filled()));
        }
        let style = (FONT, 12)
            .into_text_style(root)
            .pos(Pos::new(HPos::Right, VPos::Center));
        for (row, name) in names.iter().enumerate() {
            let (x, y) = chart.backend_coord(&(foot, last - row as f64 - 0.5));
            root.draw(&Text::new((*name).to_owned(), (x - 8, y), style.clone()))
                .map_err(told)?;
        }
        if self.curves.len() < 2 {
            return Ok(());
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .label_font((FONT, 12))
            .draw()
            .map_err(told)
    }
}

/// A mark of an axis.
fn short(value: f64) -> String {
    let of = |unit: f64, name: &str| format!("{}{name}", trimmed(value / unit));
    match value.abs() {
        size if size >= 1e6 => of(1e6, " M"),
        size if size >= 1e4 => of(1e3, " k"),
        _ => of(1.0, ""),
    }
}

/// At most three places, without zeros at the end.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::data::Series;
    use super::*;

    fn table(x: impl Fn(usize) -> Cell, log: bool) -> Table {
        let series = |column: &str, spread| Series {
            column: column.into(),
            spread,
        };
        let rows = (0..5).map(|row| {
            let value = 1.0 + row as f64;
            let numbers = [value, value * 0.9, value * 1.2, 100.0];
            [x(row)]
                .into_iter()
                .chain(numbers.map(Cell::Number))
                .collect()
        });
        Table {
            id: "growth".into(),
            title: "Cost & <workers>".into(),
            columns: ["workers", "ours", "low", "high", "theirs"]
                .map(String::from)
                .into(),
            rows: rows.collect(),
            plot: Some(Plot {
                x: "workers".into(),
                y: vec![
                    series("ours", Some(["low".into(), "high".into()])),
                    series("theirs", None),
                ],
                y_label: "times the yardstick".into(),
                x_log: log,
                y_log: log,
            }),
        }
    }

    fn drawn(table: &Table) -> String {
        svg(table, table.plot.as_ref().unwrap()).unwrap()
    }

    fn texts(document: &roxmltree::Document<'_>) -> Vec<String> {
        let texts = document
            .descendants()
            .filter(|node| node.has_tag_name("text"));
        let texts = texts.filter_map(|node| node.text());
        texts.map(|text| text.trim().to_owned()).collect()
    }

    #[test]
    fn lines_go_through_every_point() {
        for log in [false, true] {
            let svg = drawn(&table(|row| Cell::Number(f64::from(1 << row)), log));
            let document = roxmltree::Document::parse(&svg).unwrap();
            let nodes = |tag: &'static str| {
                let nodes = document.descendants();
                nodes.filter(move |node| node.has_tag_name(tag))
            };
            assert_eq!(nodes("circle").count(), 10, "a dot for each value");
            let points = |node: &roxmltree::Node<'_, '_>| {
                let points = node.attribute("points").unwrap_or_default();
                points.split_whitespace().count()
            };
            let curves = nodes("polyline").filter(|node| points(node) == 5);
            assert_eq!(curves.count(), 2, "a line for each series");
            let heights = nodes("circle").map(|dot| dot.attribute("cy").unwrap().to_owned());
            let heights: Vec<f64> = heights.map(|y| y.parse().unwrap()).collect();
            assert!(heights[..5].is_sorted_by(|a, b| a > b), "{heights:?} rise");
            assert!(heights[5..].iter().all(|y| *y == heights[5]), "{heights:?}");
            let texts = texts(&document);
            for text in [
                "Cost & <workers>",
                "workers",
                "times the yardstick",
                "ours",
                "theirs",
            ] {
                assert!(texts.iter().any(|one| one == text), "{text}: {texts:?}");
            }
        }
    }

    #[test]
    fn bars_are_as_long_as_their_values_and_bear_their_names() {
        let svg = drawn(&table(|row| Cell::Text(format!("way {row}")), false));
        let document = roxmltree::Document::parse(&svg).unwrap();
        let colour = format!("#{:02X}{:02X}{:02X}", 0, 114, 178);
        let bars = document.descendants().filter(|node| {
            node.has_tag_name("rect") && node.attribute("fill") == Some(colour.as_str())
        });
        let widths = bars.map(|bar| bar.attribute("width").unwrap().parse().unwrap());
        let mut widths: Vec<f64> = widths.collect();
        let legend = widths.pop().unwrap();
        assert!((10.0..14.0).contains(&legend), "{legend}");
        assert_eq!(widths.len(), 5);
        for (row, width) in widths.iter().enumerate() {
            let expected = widths[4] * (row + 1) as f64 / 5.0;
            assert!((width - expected).abs() <= 2.0, "{widths:?}");
        }
        let texts = texts(&document);
        for row in 0..5 {
            assert!(texts.contains(&format!("way {row}")), "{texts:?}");
        }
    }

    #[test]
    fn a_value_that_is_no_number_is_left_out_and_nothing_is_not_drawn() {
        let mut table = table(|row| Cell::Number(row as f64), false);
        table.rows[2][1] = Cell::Text("-".into());
        assert_eq!(drawn(&table).matches("<circle").count(), 9);
        for row in &mut table.rows {
            row[1] = Cell::Text("-".into());
            row[4] = Cell::Text("-".into());
        }
        let error = svg(&table, table.plot.as_ref().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "table growth: there is nothing to draw");
    }

    #[test]
    fn marks_are_short() {
        let marks = [0.0, 0.25, 3.0, 1_024.0, 65_536.0, 2.5e6].map(short);
        assert_eq!(marks, ["0", "0.25", "3", "1024", "65.536 k", "2.5 M"]);
    }
}
