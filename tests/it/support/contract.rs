//! Compares each line of JSON that a verb prints with `src/cli/output.schema.json`.

use std::process::Command;

use serde_json::Value;

use super::program::Outcome;

/// The verbs that change a host: their results have `changed`.
const CHANGING: [&str; 9] = [
    "start",
    "stop",
    "uninstall",
    "extract",
    "repair",
    "add",
    "remove",
    "revoke",
    "rotate",
];

/// What `command` printed, where it is one of our programs and was asked for JSON.
pub(crate) fn check(command: &Command, outcome: &Outcome) {
    let words = command.get_args().map(|word| word.to_str().unwrap_or_default());
    let words: Vec<&str> = words.take_while(|word| *word != "--").collect();
    let program = command.get_program().to_string_lossy();
    let ours = program == env!("CARGO_BIN_EXE_minikube-offline") || program.ends_with(".run");
    let format = words.windows(2).rfind(|pair| pair[0] == "--output");
    let asked = format.is_some_and(|pair| pair[1] == "json")
        || words.contains(&"--json")
        || words.contains(&"--output=json");
    if !ours || !asked || words.contains(&"completions") || outcome.status < 0 {
        return;
    }
    let changes = words.iter().any(|word| CHANGING.contains(word));
    if let Err(reason) = lines(&outcome.stdout, changes) {
        panic!("{reason}: {words:?}: {outcome:?}");
    }
}

/// All lines of a run.
pub(crate) fn lines(text: &str, changes: bool) -> Result<(), String> {
    let schema = serde_json::from_str(include_str!("../../../src/cli/output.schema.json"));
    let schema: Value = schema.expect("the schema is JSON");
    let mut last = Value::Null;
    for (number, line) in text.lines().enumerate() {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        matches(&schema, &value).map_err(|reason| format!("line {}: {reason}", number + 1))?;
        if (number == 0) != value.get("schema").is_some() {
            return Err("the first line has `schema`, and no other".to_owned());
        }
        last = value;
    }
    match last["type"].as_str() {
        Some("result") if changes && last.get("help").is_none() && last.get("changed").is_none() => {
            Err("the result does not say whether it `changed` the host".to_owned())
        }
        Some("result" | "error") => Ok(()),
        _ => Err("the last line is neither `result` nor `error`".to_owned()),
    }
}

/// A strict reader of what the schema uses: a keyword that it does not know is an error.
fn matches(schema: &Value, value: &Value) -> Result<(), String> {
    let list = |of: &Value| of.as_array().cloned().unwrap_or_else(|| vec![of.clone()]);
    let object = value.as_object();
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        let agrees = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "const" => value == wanted,
            "enum" => list(wanted).contains(value),
            "type" => list(wanted).iter().any(|name| is(value, name)),
            "required" => list(wanted)
                .iter()
                .all(|key| value.get(key.as_str().expect("a key")).is_some()),
            "properties" => {
                for (key, schema) in wanted.as_object().expect("an object") {
                    if let Some(value) = value.get(key) {
                        matches(schema, value).map_err(|reason| format!("{key}: {reason}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                object.is_none_or(|object| object.keys().all(|key| schema["properties"].get(key).is_some()))
            }
            "items" => {
                let items = value.as_array();
                items.is_none_or(|items| items.iter().all(|item| matches(wanted, item).is_ok()))
            }
            "oneOf" => {
                let tried: Vec<_> = list(wanted).iter().map(|one| matches(one, value)).collect();
                tried.iter().filter(|result| result.is_ok()).count() == 1
            }
            "propertyNames" => {
                assert_eq!(wanted["pattern"], "^[a-z0-9_]+$");
                let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                object.is_none_or(|object| object.keys().all(|key| key.chars().all(fine)))
            }
            other => panic!("the schema uses `{other}`, which is not checked"),
        };
        if !agrees {
            return Err(format!("`{keyword}` of {wanted} does not hold for {value}"));
        }
    }
    Ok(())
}

fn is(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => panic!("no type: {name}"),
    }
}

#[test]
fn the_contract_refuses_lines_that_break_it() {
    let begin = r#"{"schema":1,"type":"begin","stage":"verify","total_bytes":null}"#;
    let error = r#"{"type":"error","kind":"io","message":"m","causes":[],"hint":null}"#;
    let good = format!("{begin}\n{error}");
    assert_eq!(lines(&good, true), Ok(()));
    for (from, to) in [
        (r#""schema":1,"#, ""),
        (r#""schema":1"#, r#""schema":2"#),
        (r#""type":"begin""#, r#""event":"begin""#),
        (r#""total_bytes":null"#, r#""total_bytes":-1"#),
        (r#""kind":"io""#, r#""kind":"input""#),
        (r#""hint":null"#, r#""hint":null,"more":1"#),
        (error, r#"{"type":"result","Name":1}"#),
        (error, r#"{"type":"result","checks":[{"check":"c"}]}"#),
        (error, r#"{"type":"result","profile":"p"}"#),
        (error, ""),
    ] {
        let bad = good.replace(from, to);
        assert!(bad != good && lines(&bad, true).is_err(), "{bad}");
    }
}
