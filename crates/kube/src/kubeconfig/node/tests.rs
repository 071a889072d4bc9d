use super::*;

fn read(text: &str) -> Result<serde_json::Value, Broken> {
    first_document(text).map(|node| node.to_json())
}

#[test]
fn documents_are_read_as_kubectl_reads_them() {
    let cases = [
        ("", "null"),
        ("# nothing\n", "null"),
        ("---\n---\n", "null"),
        ("\u{feff}a: b\n", r#"{"a":"b"}"#),
        ("a: b\r\nc: d\r\n", r#"{"a":"b","c":"d"}"#),
        ("{\"a\": \"b\",\n\t\"c\": []}", r#"{"a":"b","c":[]}"#),
        ("a: b\n---\n{{{\n", r#"{"a":"b"}"#),
        ("a: 1\na: 2\n", r#"{"a":2}"#),
        ("x: &x {a: 1}\nz: *x\n", r#"{"x":{"a":1},"z":{"a":1}}"#),
        (
            "x: &x {a: 1, b: 2}\nz: {<<: *x, b: 3}\n",
            r#"{"x":{"a":1,"b":2},"z":{"a":1,"b":3}}"#,
        ),
        ("z: {b: 3, <<: {b: 2}}\n", r#"{"z":{"b":2}}"#),
        ("z: {<<: {b: 1}, <<: {b: 2}}\n", r#"{"z":{"b":2}}"#),
        ("z: {<<: [{b: 1}, {b: 2}]}\n", r#"{"z":{"b":1}}"#),
        ("z: {'<<': {b: 1}}\n", r#"{"z":{"<<":{"b":1}}}"#),
        (
            "a: !!bool 'true'\nb: ! 5\nc: !x 5\nd: !!int '7'\ne: !!null ''\n",
            r#"{"a":true,"b":"5","c":"5","d":7,"e":null}"#,
        ),
        (
            "a: yes\nb: No\nc: on\nd: y\n",
            r#"{"a":true,"b":false,"c":true,"d":true}"#,
        ),
        (
            "a: 'yes'\nb: \"1\"\nc: !!str 1\n",
            r#"{"a":"yes","b":"1","c":"1"}"#,
        ),
        ("a:\nb: ~\nc: Null\n", r#"{"a":null,"b":null,"c":null}"#),
        (
            "a: 2024-01-02\nb: 1:30\nc: 1.2.3.4\nd: 0x1G\n",
            r#"{"a":"2024-01-02","b":"1:30","c":"1.2.3.4","d":"0x1G"}"#,
        ),
        ("1: x\ntrue: z\n", r#"{"1":"x","true":"z"}"#),
        ("a: |\n  b\n", r#"{"a":"b\n"}"#),
    ];
    for (text, json) in cases {
        assert_eq!(read(text).unwrap().to_string(), json, "{text}");
    }
    for number in [
        "12", "1_000", "1e3", "08", "-1.5", "0x1f", "0b11", ".inf", "+7",
    ] {
        let Value::Number(text) = resolve(number) else {
            panic!("{number}");
        };
        assert_eq!(text, number);
    }
}

#[test]
fn what_is_no_yaml_is_named_with_its_line() {
    let cases = [
        ("\ta: b\n", 1),
        ("a:\n- b: c\n\td: {}\n", 3),
        ("{\"a\": \"b\"", 1),
        ("a: \"b\n", 2),
        ("a: *nope\n", 1),
        ("null: x\n", 1),
        ("[a]: x\n", 1),
        ("a: b\ngarbage\n", 2),
        ("%YAML 1.2\n---\na: b\n", 2),
        ("a: {<<: b}\n", 1),
        ("a: {<<: [[{b: c}]]}\n", 1),
        ("a: &a [{b: c}]\nd: {<<: *a}\n", 1),
        ("a: !!int 'x'\n", 1),
        ("a: !!bool 1\n", 1),
    ];
    for (text, line) in cases {
        let broken = read(text).unwrap_err();
        assert!(
            broken.line.is_some_and(|found| found.abs_diff(line) <= 1),
            "{text:?}: {broken:?}"
        );
    }
}

#[test]
fn aliases_and_depth_have_an_end() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = level - 1;
        let items = format!("*a{below}, ").repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(read(&text).unwrap_err().message.contains("too many"));
    let deep = "[".repeat(1_000) + &"]".repeat(1_000);
    assert!(read(&deep).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "[ -~\n\t&*!|{}\\[\\]:-]{0,80}") {
        let _read = first_document(&text);
        let _all = documents(&text);
    }
}
