"""Runs the mutants that `cargo mutants --list --json` names, all compiled into one program.

Usage: mutants.py LIST.json CRATE OUT, with the command that builds the tests of CRATE in
the environment as BUILD and what each mutant is tried with, a line a step, as STEPS.

A build for each mutant takes hours. Here every function has its changed bodies beside its
own one, and MUTANT=NUMBER chooses. What does not compile is listed as unviable. The few
that stand outside a function, or in one that is `const` or gives an `impl`, are built
one by one.
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

CHOICE = """
pub(crate) fn mutant() -> usize {
    static NUMBER: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| {
        std::env::var("MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    });
    *NUMBER
}
"""
# Seconds of a processor, and in all, until tests that do not end have noticed a mutant;
# others take less than two.
PROCESSOR, PATIENCE = 10, 300


def starts(text):
    """Where each line starts."""
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    return lines


def span_of(span, lines):
    return [lines[span[end]["line"] - 1] + span[end]["column"] - 1 for end in ("start", "end")]


def functions(text, mutants):
    """The span of each function's body, with the mutants in it by number."""
    lines = starts(text)
    found = defaultdict(dict)
    for number, mutant in mutants.items():
        if not mutant["function"]:
            continue
        start, end = span_of(mutant["function"]["span"], lines)
        # Attributes and comments may have braces, a signature has none.
        head = re.compile(r"(?:\s*(?://[^\n]*|#\[[^\n]*)\n)*").match(text, start).end()
        body = text.index("{", head)
        # All bodies are of one type, and choose as they run.
        if re.search(r"\bconst fn\b|->.*\bimpl\b", text[head:body], re.DOTALL):
            continue
        change = span_of(mutant["span"], lines)
        if body <= change[0] and change[1] <= end:
            found[body, end][number] = *change, mutant["replacement"]
    # A function inside another one stays as it is.
    inner = {a for a in found for b in found if a != b and b[0] <= a[0] and a[1] <= b[1]}
    return {span: inside for span, inside in found.items() if span not in inner}


def compiled(text, mutants, unviable):
    """The file with every body, and the mutant of each of its lines."""
    out, owners, at = "", {}, 0
    for (start, end), inside in sorted(functions(text, mutants).items()):
        out += text[at:start] + "{ match crate::mutant() {\n"
        for number, (a, b, replacement) in inside.items():
            if number in unviable:
                continue
            first = out.count("\n") + 1
            out += f"{number} => " + text[start:a] + f" {replacement} " + text[b:end] + ",\n"
            owners.update(dict.fromkeys(range(first, out.count("\n") + 1), number))
        out += "_ => " + text[start:end] + "\n} }"
        at = end
    return out + text[at:], owners


def cargo(crate, **environment):
    """The program, or none, and what the compiler said."""
    result = subprocess.run(
        os.environ["BUILD"] + " --message-format=json",
        shell=True,
        cwd=crate,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    messages = [json.loads(line) for line in result.stdout.splitlines()]
    programs = [message["executable"] for message in messages if message.get("executable")]
    return (programs[-1] if result.returncode == 0 else None), messages


def build(crate, sources, mutants):
    """The program with all mutants that compile, and those that do not."""
    unviable = set()
    while True:
        owners = {}
        for file, text in sources.items():
            here = {number: mutant for number, mutant in mutants.items() if mutant["file"] == file}
            changed, owners[file] = compiled(text, here, unviable)
            (crate / file).write_text(changed)
        program, messages = cargo(crate)
        if program:
            return program, unviable
        wrong = set()
        for message in messages:
            message = message.get("message") or {}
            if message.get("level") == "error":
                for span in message["spans"]:
                    if span["is_primary"]:
                        wrong.add(owners.get(span["file_name"], {}).get(span["line_start"]))
        wrong -= {None} | unviable
        if not wrong:
            sys.exit("it does not compile, and not for a mutant:\n" + json.dumps(messages[-3:])[:3000])
        print(f"{len(wrong)} do not compile", flush=True)
        unviable |= wrong


def alone(crate, sources, mutant):
    """How the tests end when this mutant is all that is changed."""
    for file, text in sources.items():
        if file == mutant["file"]:
            a, b = span_of(mutant["span"], starts(text))
            text = text[:a] + f" {mutant['replacement']} " + text[b:]
        if (crate / file).read_text() != text:
            (crate / file).write_text(text)
    program, _ = cargo(crate, CARGO_PROFILE_MUTANTS_OPT_LEVEL="0")
    return outcome(program, crate, 0) if program else "unviable"


def outcome(program, crate, number):
    """How the tests end with this mutant."""
    for step in os.environ["STEPS"].splitlines():
        environment = {**os.environ, "MUTANT": str(number), "RUST_BACKTRACE": "0"}
        process = subprocess.Popen(
            [program, *step.split()],
            cwd=crate,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR)),
        )
        try:
            status = process.wait(PATIENCE)
            if status:
                return "timeout" if status in (-signal.SIGXCPU, -signal.SIGKILL) else "caught"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return "timeout"
    return "missed"


def main():
    mutants = dict(enumerate(json.loads(Path(sys.argv[1]).read_text()), 1))
    crate, out = Path(sys.argv[2]), Path(sys.argv[3])
    sources = {file: (crate / file).read_text() for file in {mutant["file"] for mutant in mutants.values()}}
    library = crate / "src/lib.rs"
    library.write_text(library.read_text() + CHOICE)
    tried = set()
    for file, text in sources.items():
        here = {number: mutant for number, mutant in mutants.items() if mutant["file"] == file}
        tried.update(number for inside in functions(text, here).values() for number in inside)
    program, unviable = build(crate, sources, mutants)
    if outcome(program, crate, 0) != "missed":
        sys.exit("the tests fail without a mutant")
    started, counts = time.time(), Counter()
    with out.open("w") as report:
        for number, mutant in sorted(mutants.items(), key=lambda item: item[0] not in tried):
            if number not in tried:
                ended = alone(crate, sources, mutant)
            elif number in unviable:
                ended = "unviable"
            else:
                ended = outcome(program, crate, number)
            counts[ended] += 1
            print(ended, mutant["name"], file=report, flush=True)
            if ended == "missed":
                print(ended, mutant["name"], flush=True)
    print(dict(counts), f"of {len(mutants)} in {time.time() - started:.0f} s")
    sys.exit(bool(counts["missed"]))


main()
