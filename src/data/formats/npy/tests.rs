use super::*;

/// A version 1.0 file with this header dictionary and these elements.
fn npy(header: &str, elements: &[u8]) -> Vec<u8> {
    let len = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", len.as_slice(), header.as_bytes(), elements].concat()
}

fn malformed(header: &str) -> (&'static str, usize) {
    match parse(&npy(header, &[])).unwrap_err() {
        Problem::NpyHeader { expected, position } => (expected, position),
        other => panic!("{other:?}"),
    }
}

#[test]
fn finds_dimensions_and_elements() {
    let file = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1), }   \n", &[7, 8]);
    let layout = parse(&file).unwrap();
    assert_eq!(layout.dims(), [2, 1]);
    assert_eq!(&file[layout.payload()], [7, 8]);
}

#[test]
fn reads_all_versions() {
    let header = b"{'descr':'|u1','fortran_order':False,'shape':(1,)}\n";
    for version in [2, 3] {
        let length = [header.len() as u8, 0, 0, 0];
        let file = [b"\x93NUMPY", &[version, 0][..], &length, header, &[9]].concat();
        assert_eq!(parse(&file).unwrap().payload(), file.len() - 1..file.len());
    }
}

#[test]
fn takes_keys_in_any_order_and_either_quotes() {
    let file = npy(r#"{"shape": (), 'fortran_order':False , "descr" : 'u1'}"#, &[0]);
    assert_eq!(parse(&file).unwrap().dims(), [0; 0]);
}

#[test]
fn a_byte_has_no_byte_order() {
    for descr in ["|u1", "<u1", ">u1", "=u1", "u1"] {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (0,)}}");
        assert!(parse(&npy(&header, &[])).is_ok(), "{descr}");
    }
}

#[test]
fn says_what_a_malformed_header_lacks_and_where() {
    // Positions count from the start of the file: the header starts at byte 10.
    let cases = [
        ("", "'{'", 10),
        ("[]", "'{'", 10),
        ("{descr: 1}", "a key in quotes", 11),
        ("{'descr' '|u1'}", "':'", 19),
        ("{'descr': [('a', '|u1')]}", "the element type in quotes", 20),
        ("{'descr': '|u1}", "the element type in quotes", 20),
        (r"{'descr': '\x7cu1'}", "the element type in quotes", 20),
        ("{'fortran_order': 0}", "True or False", 28),
        ("{'shape': 3}", "'('", 20),
        ("{'shape': (3)}", "','", 22),
        ("{'shape': (3, 4 5)}", "',' or ')'", 26),
        ("{'shape': (-1,)}", "a number that can be addressed", 21),
        ("{'shape': (,)}", "a number that can be addressed", 21),
        ("{'shape': (99999999999999999999,)}", "a number that can be addressed", 21),
        ("{'shape': (3,) 4}", "',' or '}'", 25),
        ("{'shape': (3,)}", "all of 'descr', 'fortran_order', 'shape'", 25),
        ("{'more': 3}", "each of 'descr', 'fortran_order', 'shape' once", 17),
        ("{'shape': (), 'shape': ()}", "each of 'descr', 'fortran_order', 'shape' once", 31),
        ("{'shape': ()} or 1", "only padding", 24),
    ];
    for (header, expected, position) in cases {
        assert_eq!(malformed(header), (expected, position), "{header}");
    }
}
