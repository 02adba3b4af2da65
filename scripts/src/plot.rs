// SPDX-License-Identifier: GPL-2.0
//! Bar charts as SVG.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const HEIGHT: u32 = 480;
const WIDTH_OF_GROUP: u32 = 180;
const WIDTH_OF_AXIS: u32 = 72;
const COLORS: [RGBColor; 4] = [
    RGBColor(130, 130, 140),
    RGBColor(40, 110, 190),
    RGBColor(200, 110, 40),
    RGBColor(60, 150, 90),
];
/// Of the room of one group, what its bars take.
const FILLED: f64 = 0.8;

pub struct Bars<'a> {
    pub title: &'a str,
    pub unit: &'a str,
    /// Their names, at most one for each color.
    pub series: &'a [&'a str],
    /// A label and one value of each series.
    pub groups: Vec<(String, Vec<f64>)>,
}

impl Bars<'_> {
    pub fn write(&self, path: &Path) -> Result<()> {
        self.draw(path)
            .map_err(|error| anyhow!("cannot draw {}: {error}", path.display()))
    }

    fn draw(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let width = 2 * WIDTH_OF_AXIS + WIDTH_OF_GROUP * self.groups.len() as u32;
        let root = SVGBackend::new(path, (width, HEIGHT)).into_drawing_area();
        root.fill(&WHITE)?;
        let highest = self.groups.iter().flat_map(|(_, values)| values);
        let top = highest.copied().fold(0.0, f64::max) * 1.25;
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title, ("sans-serif", 20))
            .margin(16)
            .x_label_area_size(32)
            .y_label_area_size(WIDTH_OF_AXIS)
            .build_cartesian_2d(0.0..self.groups.len() as f64, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(0)
            .max_light_lines(0)
            .y_desc(self.unit)
            .draw()?;

        let width = FILLED / self.series.len() as f64;
        for (which, (name, color)) in self.series.iter().zip(COLORS).enumerate() {
            let left = |group: usize| group as f64 + (1.0 - FILLED) / 2.0 + which as f64 * width;
            let values = self.groups.iter().map(|(_, values)| values[which]);
            let bars = values.clone().enumerate().map(|(group, value)| {
                let corners = [(left(group), 0.0), (left(group) + width, value)];
                Rectangle::new(corners, color.filled())
            });
            chart.draw_series(bars)?.label(*name).legend(move |(x, y)| {
                Rectangle::new([(x, y - 5), (x + 10, y + 5)], color.filled())
            });
            let above = text(VPos::Bottom);
            chart.draw_series(values.enumerate().map(|(group, value)| {
                let place = (left(group) + width / 2.0, value);
                Text::new(figure(value), place, above.clone())
            }))?;
        }
        // The room under the axis is in pixels of the whole picture.
        let below = text(VPos::Top);
        let (_, bottom) = chart.backend_coord(&(0.0, 0.0));
        for (group, (label, _)) in self.groups.iter().enumerate() {
            let (middle, _) = chart.backend_coord(&(group as f64 + 0.5, 0.0));
            root.draw(&Text::new(
                label.as_str(),
                (middle, bottom + 8),
                below.clone(),
            ))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .border_style(BLACK)
            .draw()?;
        root.present()?;
        Ok(())
    }
}

fn text(vertical: VPos) -> TextStyle<'static> {
    let style = TextStyle::from(("sans-serif", 14).into_font());
    style.pos(Pos::new(HPos::Center, vertical))
}

fn figure(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_holds_labels_and_figures() {
        let dir = std::env::temp_dir().join(format!("dynstack-plot-{}", std::process::id()));
        let bars = Bars {
            title: "Kernel stacks",
            unit: "kB",
            series: &["off", "lend"],
            groups: vec![("at boot".to_string(), vec![576.0, 144.0])],
        };
        bars.write(&dir).unwrap();
        let picture = std::fs::read_to_string(&dir).unwrap();
        std::fs::remove_file(&dir).unwrap();
        for text in ["Kernel stacks", "off", "lend", "at boot", "576", "144"] {
            assert!(
                picture.contains(&format!("\n{text}\n")),
                "{text}: {picture}"
            );
        }
    }
}
