//! The program reads a person's own files: pictures and CSV.
#![cfg(feature = "cli")]

use std::fs;

use image::{GrayImage, Luma};
use program::Desk;
use serde_json::{Value, json};

mod program;

/// A desk with a network that tells images of 8 × 8 pixels apart by the row of a bright bar: rows
/// 0, 3, 6 are class 0, rows 1, 4, 7 class 1, rows 2, 5 class 2.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.succeed("train --data data --epochs 20 --run-dir run --quiet");
    desk
}

/// The pixels of an image of `class`.
fn bars(class: usize) -> impl Iterator<Item = u8> {
    (0..64).map(move |pixel| if pixel / 8 % 3 == class { 240 } else { 0 })
}

/// A CSV file of images of these classes.
fn table(classes: &[usize], labelled: bool) -> String {
    let fields = |class: usize| {
        let pixels = bars(class).map(|pixel| pixel.to_string());
        labelled.then(|| class.to_string()).into_iter().chain(pixels).collect::<Vec<_>>().join(",")
    };
    let header = labelled.then_some("label").into_iter().map(String::from);
    let header = header.chain((0..64).map(|pixel| format!("pixel{pixel}"))).collect::<Vec<_>>();
    let rows = classes.iter().map(|&class| fields(class) + "\n");
    header.join(",") + "\n" + &rows.collect::<String>()
}

/// Writes a picture of an image of `class`.
fn write_bars(desk: &Desk, name: &str, class: usize) {
    let image = GrayImage::from_raw(8, 8, bars(class).collect()).unwrap();
    image.save(desk.path(name)).unwrap();
}

/// Writes a photograph of upright strokes, dark on light, at these columns.
fn write_strokes(desk: &Desk, name: &str, columns: &[u32]) {
    let inked = |x: u32, y: u32| {
        (20..60).contains(&y) && columns.iter().any(|&column| (column..column + 6).contains(&x))
    };
    let level = |x, y| Luma([if inked(x, y) { 60 } else { 200 - (x / 4) as u8 }]);
    GrayImage::from_fn(160, 80, level).save(desk.path(name)).unwrap();
}

#[test]
fn a_csv_file_becomes_a_submission() {
    let desk = desk();
    fs::write(desk.path("test.csv"), table(&[2, 0, 1, 1], false)).unwrap();
    let said = desk.succeed("predict run test.csv --csv submission.csv");
    assert_eq!(said, "4 predictions written to submission.csv\n");
    assert_eq!(desk.read("submission.csv"), "ImageId,Label\n1,2\n2,0\n3,1\n4,1\n");
    let said = desk.succeed("predict run test.csv");
    assert!(said.starts_with("test.csv, row 1: 2 ("), "{said}");
    assert_eq!(said.lines().count(), 4);

    // A column of ids is what the images are called.
    let rows = table(&[1, 2], false)
        .lines()
        .zip(["id", "b7", "a3"])
        .map(|(row, id)| format!("{id},{row}\n"))
        .collect::<String>();
    fs::write(desk.path("named.csv"), rows).unwrap();
    desk.succeed("predict run named.csv --csv submission.csv");
    assert_eq!(desk.read("submission.csv"), "ImageId,Label\nb7,1\na3,2\n");

    fs::write(desk.path("own.CSV"), table(&[1], true)).unwrap();
    let said = desk.succeed("predict run own.CSV");
    assert!(said.starts_with("own.CSV, row 1: 1 (") && said.ends_with("; labelled 1\n"), "{said}");
}

#[test]
fn a_run_is_gone_on_with_on_data_that_are_read_as_before() {
    let desk = Desk::new();
    let classes: Vec<usize> = (0..70).map(|row| row % 3).collect();
    let table = table(&classes, true).replacen("label", "size", 1);
    fs::write(desk.path("digits.csv"), table).unwrap();
    let how = "--label-column size --transpose";
    desk.succeed(&format!("train --data digits.csv {how} --epochs 1 --run-dir run --quiet"));
    desk.succeed("train --resume run --epochs 2 --quiet");
    assert_eq!(desk.read("run/history.csv").lines().count(), 3);
    let ended = desk.run("train --resume run --epochs 3 --label-column last --quiet");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
}

#[test]
fn a_csv_file_can_be_trained_on() {
    let desk = Desk::new();
    let classes: Vec<usize> = (0..70).map(|row| row % 3).collect();
    fs::write(desk.path("digits.csv"), table(&classes, true)).unwrap();
    desk.succeed("train --data digits.csv --epochs 30 --run-dir run --quiet");
    let report = desk.json("run/report.json");
    assert_eq!(report["dataset"], "digits.csv");
    assert_eq!(report["test"]["accuracy"], 1.0);
    let tested: Vec<Vec<u64>> =
        serde_json::from_value(report["test"]["confusion_matrix"].clone()).unwrap();
    assert_eq!(tested.iter().flatten().sum::<u64>(), 10);
}

#[test]
fn pictures_are_read_in_turn() {
    let desk = desk();
    write_bars(&desk, "two.png", 2);
    write_bars(&desk, "none.bmp", 0);
    write_strokes(&desk, "strokes.webp", &[30, 70, 110]);
    let said = desk.succeed("predict run two.png strokes.webp none.bmp two.png two.png");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 8, "{said}");
    assert!(lines[0].starts_with("two.png: 2 ("), "{said}");
    let read: String = (1..4)
        .map(|line| lines[line].strip_prefix("strokes.webp: ").unwrap().chars().next().unwrap())
        .collect();
    assert_eq!(lines[4], format!("strokes.webp: {read}"));
    assert!(lines[5].starts_with("none.bmp: 0 ("), "{said}");

    let text = desk.succeed("predict run strokes.webp none.bmp --json");
    let readings: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(readings.len(), 4);
    assert_eq!((&readings[1]["file"], &readings[1]["index"]), (&json!("strokes.webp"), &json!(1)));
    assert_eq!(readings[3]["class"], 0);
    assert!(readings[3].get("label").is_none());
    for (reading, left) in readings.iter().zip([30.0, 70.0, 110.0]) {
        let near = |side: &str, place: f64| {
            let found = reading["place"][side].as_f64().unwrap();
            assert!((found - place).abs() <= 2.0, "{side}: {reading}");
        };
        near("left", left);
        near("top", 20.0);
        near("height", 40.0);
        near("width", 6.0);
    }
}

#[test]
fn what_the_network_saw_is_shown() {
    let desk = desk();
    write_bars(&desk, "one.png", 1);
    let said = desk.succeed("predict run one.png --show");
    let (blank, inked) = (" ".repeat(16), "█".repeat(16));
    let lines: Vec<_> = said.lines().collect();
    let expected = [0, 1, 0, 0, 1, 0, 0, 1].map(|bar| if bar == 1 { &*inked } else { &*blank });
    assert_eq!(lines[..8], expected);
    assert!(lines[8].starts_with("one.png: 1 ("), "{said}");
    assert_eq!(lines.len(), 9);
    let said = desk.succeed("predict run --data data --index 0 --show");
    assert!(said.lines().nth(8).unwrap().starts_with("image 0: 0 ("), "{said}");
}

#[test]
fn files_that_cannot_be_read_are_one_line() {
    let desk = desk();
    fs::write(desk.path("text.png"), "seven").unwrap();
    fs::write(desk.path("small.csv"), "1,2,3,5\n").unwrap();
    GrayImage::from_pixel(40, 40, Luma([200])).save(desk.path("blank.png")).unwrap();
    write_bars(&desk, "good.png", 1);
    for (arguments, line) in [
        (
            "text.png",
            "text.png: not a picture that is read: a PNG, JPEG, BMP, WebP, GIF or TIFF file is \
             expected",
        ),
        (
            "blank.png",
            "blank.png: no digit is seen in it: expected is ink that is clearly darker, or \
             lighter, than the ground around it",
        ),
        ("small.csv", "small.csv: the network reads images of 8 × 8, but these are 2 × 2"),
        ("good.png --csv data", "data: is a folder: name a file to be written"),
    ] {
        let ended = desk.run(&format!("predict run {arguments}"));
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{arguments}");
        if cfg!(unix) {
            assert_eq!(ended.stderr, format!("error: {line}\n"), "{arguments}");
        }
    }
    for (arguments, word) in [
        ("", "required"),
        ("good.png --index 3", "cannot be used with"),
        ("good.png --data data", "cannot be used with"),
        ("good.png --show --json", "cannot be used with"),
    ] {
        let ended = desk.run(&format!("predict run {arguments}"));
        assert_eq!(ended.code, Some(2), "{arguments}");
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    }
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_from_being_read() {
    let desk = desk();
    fs::write(desk.path("text.png"), "seven").unwrap();
    for (class, name) in ["zero.png", "one.png", "two.png"].into_iter().enumerate() {
        write_bars(&desk, name, class);
    }
    let ended = desk.run("predict run two.png text.png gone.png one.png --csv new/out.csv");
    assert_eq!(ended.code, Some(1));
    let said: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(said.len(), 2, "{}", ended.stderr);
    assert!(said[0].starts_with("error: text.png: not a picture"), "{}", ended.stderr);
    assert!(said[1].contains("gone.png"), "{}", ended.stderr);
    assert_eq!(desk.read("new/out.csv"), "ImageId,Label\n1,2\n2,1\n");

    let ended = desk.run("predict run text.png gone.png --csv none.csv");
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    assert!(
        ended
            .stderr
            .ends_with("error: nothing was read: no digits and no images are in what was named\n"),
        "{}",
        ended.stderr
    );
    assert!(!desk.path("none.csv").exists());
}

#[test]
fn a_folder_is_read_in_the_order_of_its_names() {
    let desk = desk();
    fs::create_dir_all(desk.path("pictures/more")).unwrap();
    fs::create_dir(desk.path("empty")).unwrap();
    for (name, class) in [("10.png", 0), ("9.png", 2), ("1.png", 1)] {
        write_bars(&desk, &format!("pictures/{name}"), class);
    }
    fs::write(desk.path("pictures/notes.txt"), "taken on Monday").unwrap();
    fs::write(desk.path("pictures/.hidden"), "").unwrap();
    fs::create_dir(desk.path("notes")).unwrap();
    fs::write(desk.path("notes/monday.txt"), "taken on Monday").unwrap();
    let ended = desk.run("predict run pictures --csv out.csv");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(desk.read("out.csv"), "ImageId,Label\n1,1\n2,2\n3,0\n");
    let said: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(said[0], "pictures: a folder in it is left out: name it to read it");
    assert!(said[1].starts_with("left out: ") && said[1].contains("notes.txt: not a picture"));
    assert_eq!(said.len(), 2);

    for (arguments, word) in [
        ("predict run empty", "no file is in this folder"),
        ("predict run notes --csv none.csv", "nothing was read"),
        ("predict run pictures --csv pictures/9.png", "would be overwritten"),
    ] {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, Some(1), "{arguments}");
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    }
    assert!(desk.bytes("pictures/9.png").len() > 60 && !desk.path("none.csv").exists());
}

#[cfg(unix)]
#[test]
fn streams_are_read_whatever_they_hold() {
    use std::process::Stdio;

    let desk = desk();
    write_bars(&desk, "two.png", 2);
    fs::write(desk.path("rows"), table(&[1, 0], false)).unwrap();
    for name in ["-", "/dev/stdin"] {
        for (file, expected) in [("two.png", "1,2\n"), ("rows", "1,1\n2,0\n")] {
            let mut command = desk.command(&format!("predict run {name} --csv -"));
            // A pipe, as from another program.
            let mut cat = std::process::Command::new("cat")
                .arg(desk.path(file))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let ended = command.stdin(cat.stdout.take().unwrap()).output().unwrap();
            cat.wait().unwrap();
            let said = String::from_utf8_lossy(&ended.stdout).into_owned();
            assert_eq!(said, format!("ImageId,Label\n{expected}"), "{name} {file}: {ended:?}");
        }
    }
    // A file, as a shell redirects it.
    let mut command = desk.command("predict run /dev/stdin --csv -");
    let ended = command.stdin(fs::File::open(desk.path("rows")).unwrap()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "ImageId,Label\n1,1\n2,0\n");

    let mut command = desk.command("predict run - --quiet");
    let ended = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.starts_with("error: standard input: "), "{said}");

    let made = std::process::Command::new("mkfifo").arg(desk.path("pipe")).status();
    assert!(made.unwrap().success());
    let mut writer = std::process::Command::new("sh")
        .args(["-c", "cat two.png > pipe"])
        .current_dir(desk.path("."))
        .spawn()
        .unwrap();
    let said = desk.succeed("predict run pipe");
    writer.wait().unwrap();
    assert!(said.starts_with("pipe: 2 ("), "{said}");
}

#[test]
fn unsure_readings_say_so() {
    let desk = desk();
    // From one class to another there is a place where the network is unsure.
    const STEPS: u16 = 240;
    let names: Vec<String> = (0..=STEPS).map(|step| format!("{step}.png")).collect();
    for (step, name) in (0..=STEPS).zip(&names) {
        let mix =
            |from: u8, to: u8| ((STEPS - step) * u16::from(from) + step * u16::from(to)) / STEPS;
        let mixed: Vec<u8> = bars(0).zip(bars(1)).map(|(from, to)| mix(from, to) as u8).collect();
        GrayImage::from_raw(8, 8, mixed).unwrap().save(desk.path(name)).unwrap();
    }
    let text = desk.succeed(&format!("predict run {} --json", names.join(" ")));
    let readings: Vec<Value> = serde_json::from_str(&text).unwrap();
    let unsure: Vec<usize> =
        (0..names.len()).filter(|&step| readings[step]["unsure"] == true).collect();
    assert!(
        !unsure.is_empty() && !unsure.contains(&0) && !unsure.contains(&names.len()),
        "{unsure:?}"
    );
    for reading in &readings {
        let all = reading["probabilities"].as_array().unwrap();
        let sum: f64 = all.iter().filter_map(Value::as_f64).sum();
        assert!(all.len() == 3 && (sum - 1.0).abs() < 1e-5, "{reading}");
    }
    let said = desk.succeed(&format!("predict run {} 0.png", names[unsure[0]]));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].ends_with("; unsure") && !lines[1].contains("unsure"), "{said}");
}

#[cfg(unix)]
#[test]
fn errors_name_no_temporary_file() {
    use std::os::unix::fs::PermissionsExt;

    let desk = desk();
    write_bars(&desk, "one.png", 1);
    fs::create_dir(desk.path("closed")).unwrap();
    fs::set_permissions(desk.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    for place in ["closed/out.csv", "/proc/out.csv", "one.png/out.csv"] {
        let ended = desk.run(&format!("predict run one.png --csv {place}"));
        assert!(!ended.stderr.contains(".mnistry-"), "{}", ended.stderr);
        // Whoever rules the machine may write anywhere but into /proc.
        if !place.starts_with("closed") {
            assert_eq!(ended.code, Some(1), "{place}");
        }
    }
}
