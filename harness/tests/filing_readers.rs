//! What others make of a packet's files: an independent calendar parser, and a browser that prints the page.

use std::process::Command as Process;

use super::filings::{Folder, HALL, training};

/// Says that a check was skipped, or fails where the tool must be there.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub fn skip(variable: &str, what: &str) {
    assert!(
        std::env::var_os(variable).is_none_or(|value| value != "1"),
        "{what} is not there, and {variable}=1"
    );
    println!("skipped: {what} is not there ({variable}=1 makes this a failure)");
}

#[test]
fn an_independent_parser_reads_the_calendar_and_finds_the_plans_dates() {
    let python = std::env::var("FLOPGAUGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Process::new(&python).args(["-c", "import icalendar"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return skip("FLOPGAUGE_REQUIRE_ICALENDAR", "Python's icalendar");
    }
    let folder = Folder::new();
    let more = format!(
        "{HALL}end = 2026-12-31\n{}[[received]]\nkind = \"questions\"\non = 2026-04-20\nabout = \"hall; all, of it\"\n",
        training("big", "start = 2026-02-01\nend = 2026-08-31")
    );
    folder.packet(&more, "2026Q1", &[]);
    let plan = folder.plan(&more, &[]);
    let program = "import icalendar, json, sys\n\
        calendar = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())\n\
        events = calendar.walk('VEVENT')\n\
        assert not calendar.errors and not any(event.errors for event in events)\n\
        assert len({str(event['UID']) for event in events}) == len(events)\n\
        assert all(event['DTEND'].dt > event['DTSTART'].dt and event['DTSTAMP'] for event in events)\n\
        print(json.dumps([[event['DTSTART'].dt.isoformat(), str(event['SUMMARY'])] for event in events]))\n";
    let output =
        Process::new(&python).args(["-c", program]).arg(folder.at("2026Q1/deadlines.ics")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Vec<(String, String)> = serde_json::from_slice(&output.stdout).unwrap();
    let deadlines = plan["deadlines"].as_array().unwrap();
    let planned = deadlines.iter().filter_map(|deadline| {
        let what = deadline["what"].as_str().unwrap();
        Some((deadline["due"].as_str()?.to_owned(), format!("{what} due")))
    });
    assert_eq!(read, planned.collect::<Vec<_>>());
}

#[test]
fn the_page_prints_with_a_number_and_the_notice_on_each_page() {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Process::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    let pdftotext = Process::new("pdftotext").arg("-v").output().is_ok();
    let (Some(chromium), true) = (chromium, pdftotext) else {
        return skip("FLOPGAUGE_REQUIRE_CHROMIUM", "Chromium or pdftotext");
    };
    let folder = Folder::new();
    let more = format!("{HALL}{}", training("big", "start = 2026-02-01\nend = 2026-08-31"));
    folder.packet(&more, "2026Q1", &[]);
    let pdf = folder.at("packet.pdf");
    let user = tempfile::tempdir().unwrap();
    let output = Process::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", user.path().display()))
        .arg("--no-pdf-header-footer")
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", folder.at("2026Q1/packet.html").display()))
        .output()
        .unwrap();
    assert!(pdf.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = Process::new("pdftotext").arg("-layout").arg(&pdf).arg("-").output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    let pages: Vec<&str> = text.trim_end_matches('\u{c}').split('\u{c}').collect();
    assert!(pages.len() >= 4, "{} pages", pages.len());
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of {}", index + 1, pages.len())), "page {}", index + 1);
        assert!(page.contains("not in force"), "page {}", index + 1);
    }
    for wanted in ["Annex A. Calibration", "Annex D. Sources", "arnoldporter.com", "Attestation", "hall A"] {
        let wanted = wanted.replace("hall A", "hall");
        assert!(text.contains(&wanted), "{wanted}");
    }
}
