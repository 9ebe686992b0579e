//! Rows in columns, for a person; one tab between two cells, for a script.

/// Whether to print the header.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct HeaderArg {
    /// Omit the header, and separate the columns by one tab
    #[arg(long)]
    no_header: bool,
}

impl HeaderArg {
    /// `rows` below `header`, in columns as wide as their longest cell; the last one is not
    /// filled.
    pub(super) fn columns<const N: usize>(self, header: [&str; N], rows: &[[String; N]]) -> String {
        if self.no_header {
            let lines: Vec<String> = rows.iter().map(|row| row.join("\t")).collect();
            return lines.join("\n");
        }
        let header = header.map(str::to_owned);
        let all = || std::iter::once(&header).chain(rows);
        let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..N).map(width).collect();
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(&widths);
            let text: String = cells
                .map(|(cell, width)| format!("{cell:<width$}  "))
                .collect::<Vec<_>>()
                .concat();
            text.trim_end().to_owned()
        };
        all().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_for_a_person_and_tabs_for_a_script() {
        let rows = [["a", "12"], ["longer", "3"]].map(|row| row.map(str::to_owned));
        let [person, script] =
            [false, true].map(|no_header| HeaderArg { no_header }.columns(["NAME", "SIZE"], &rows));
        assert_eq!(person, "NAME    SIZE\na       12\nlonger  3");
        assert_eq!(script, "a\t12\nlonger\t3");
    }
}
