#!/usr/bin/env python3
"""A second reader of bundles, written from src/bundle/FORMAT.md alone, with Python's standard
library and the stock programs zstd and minisign. Usage: reader.py BUNDLE [PUBLIC KEY IN BASE64]
Exit code: 0 whole, 3 not authentic, 4 damaged; one line says why."""
import base64, datetime, hashlib, json, os, re, subprocess, sys, tempfile

ROLES, IMAGE_ROLES = ["minikube", "kubeadm", "kubelet", "kubectl", "helm"], ["node", "kubernetes", "application"]
FILE_ROLES, DIRECTORIES = ["manifest", "file", "chart", "values"], ["manifests", "files", "charts", "values"]
KEYS = {"index": "format name serial packer resolved cluster header stubs volumes chunks frames members binaries images image_indexes files applications packages",
        "applications": "release namespace chart values",
        "cluster": "platforms kubernetes_version container_runtime", "header": "size sha256", "stubs": "platform size sha256",
        "volumes": "size sha256", "frames": "size plain_size members", "members": "path size sha256", "image_indexes": "reference digest",
        "binaries": "role version platform size sha256 origin", "origin": "transport url verified_by unverified attestations unattested",
        "named_by": "digest by name",
        "attestations": "url documents signature certificates log",
        "images": "role reference platform config layers manifest origin named_by", "files": "role name size sha256 origin"}
OWN, LABEL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
RELEASE = LABEL + r"(\." + LABEL + ")*"
OPTIONAL = {"resolved", "files", "applications", "packages"}  # not there where they say nothing
MAYBE = {"origin": {"url", "unattested"}, "named_by": {"name"}}  # and these, in these objects
KINDS = {"publisher-checksum": "digest url", "release-list": "digest url", "mirror-checksum": "digest url",
         "registry-tag": "subject digest", "mirror-tag": "subject digest", "image-index": "digest",
         "corrected-platform": "subject digest", "minikube-node-image": "digest", "minikube-addon": "subject digest",
         "cni-manifest": "subject digest", "user-manifest": "digest", "user-digest": "digest", "lock": "digest",
         "self-reported-version": "subject", "layer-digests": ""}
TRANSPORTS = "docker|docker-archive|docker-daemon|file|https|minikube-cache|oci|oci-archive"
NAMERS = {"minikube-node-image": False, "minikube-addon": True, "cni-manifest": True, "user-manifest": False, "user-digest": False}
RULES = {"size": lambda v: number(v), "plain_size": lambda v: number(v), "serial": lambda v: number(v), "format": lambda v: number(v) and v == 1,
         "url": lambda v: plain(v, 2048), "packer": lambda v: plain(v, 128), "transport": TRANSPORTS, "subject": lambda v: v and plain(v, 256),
         "sha256|config|manifest|digest|signature|packages": r"sha256:[0-9a-f]{64}", "platform": r"linux/(amd64|arm64)", "path": r"[!-~]{1,99}",
         "name": r"[a-z0-9][a-z0-9._-]{0,127}", "container_runtime": "docker|containerd|cri-o",
         "kubernetes_version": r"v(0|[1-9]\d{0,9})(\.(0|[1-9]\d{0,9})){2}(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?",
         "reference": r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:\d{1,5})?"
                      r"(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"}
DIGEST = RULES["sha256|config|manifest|digest|signature|packages"]
def spelled_out(name):
    """A reference in full: Docker Hub's own images have their directory, a port is one."""
    host, path = name.split("/", 1)
    return len(name) <= 512 and (host != "docker.io" or "/" in path) and int(host.partition(":")[2] or 0) < 65536

UNPLAIN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
def plain(v, most):
    """One line of text that shows all that is in it."""
    return type(v) is str and len(v.encode()) <= most and not UNPLAIN.search(v)

class Bad(Exception): pass
def verification(value):
    """Keys and values by the kind."""
    need(type(value) is dict and type(value.get("kind")) is str and value["kind"] in KINDS, "a kind")
    need(list(value) == ["kind", *KINDS[value["kind"]].split()], "the keys of a kind")
    for key, v in value.items():
        rule = RULES["kubernetes_version"] if value["kind"] == "self-reported-version" else DIGEST if key == "digest" else RULES.get(key)
        need(key == "kind" or (rule(v) if callable(rule) else type(v) is str and re.fullmatch(rule, v)), key)

def need(right, what, code=4):
    if not right: raise Bad(code, what)
def number(v): return type(v) is int and 0 <= v < 2**64
def moment(v):
    try: return type(v) is str and re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z", v) and datetime.datetime.fromisoformat(v[:19])
    except ValueError: return False
def sha(data): return "sha256:" + hashlib.sha256(data).hexdigest()

IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
START, END, PARENT, ROOT = 1, 2, 4, 8  # what a block is
STEPS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]

def compress(value, block, counter, flags):
    """BLAKE3's compression of a block of 64 bytes at most, after its paper, section 2.2."""
    words = [int.from_bytes(block[n:n + 4], "little") for n in range(0, 64, 4)]
    s = value + IV[:4] + [counter & 0xFFFFFFFF, counter >> 32, len(block), flags]
    for _ in range(7):
        for step, (a, b, c, d) in enumerate(STEPS):
            for word, right, left in [(words[2 * step], 16, 12), (words[2 * step + 1], 8, 7)]:
                s[a] = s[a] + s[b] + word & 0xFFFFFFFF
                s[d] = (s[d] ^ s[a]) >> right | (s[d] ^ s[a]) << 32 - right & 0xFFFFFFFF
                s[c] = s[c] + s[d] & 0xFFFFFFFF
                s[b] = (s[b] ^ s[c]) >> left | (s[b] ^ s[c]) << 32 - left & 0xFFFFFFFF
        words = [words[n] for n in ORDER]
    return [s[n] ^ s[n + 8] for n in range(8)]

def node(data, counter, root):
    """The value of a tree over `data`: leaves of 1024 bytes, as many to the left as a power of two."""
    if len(data) <= 1024:
        value, blocks = IV, [data[n:n + 64] for n in range(0, len(data), 64)] or [b""]
        for n, block in enumerate(blocks):
            last = n + 1 == len(blocks)
            value = compress(value, block, counter, (START if n == 0 else 0) | (END | root if last else 0))
        return value
    left = 1024 << ((len(data) - 1) // 1024).bit_length() - 1
    pair = node(data[:left], counter, 0) + node(data[left:], counter + left // 1024, 0)
    return compress(IV, b"".join(word.to_bytes(4, "little") for word in pair), 0, PARENT | root)

def blake3(data): return "blake3:" + b"".join(word.to_bytes(4, "little") for word in node(data, 0, ROOT)).hex()

def shape(kind, value):
    """Keys, in their order and no others; each value by its rule."""
    need(type(value) is dict and list(value) == [k for k in KEYS[kind].split() if k in value or k not in OPTIONAL and k not in MAYBE.get(kind, ())], f"the keys of {kind}")
    need(value.get("files") != [] and value.get("applications") != [], "the files")
    for key, v in value.items():
        if key in KEYS and key != "members" or key == "members" and kind == "index":
            many = key.endswith("s") or key == "named_by"
            need((type(v) is list) == many, key)
            for one in v if many else [v]: shape(key, one)
        elif key == "members": need(number(v) and v > 0, key)
        elif key in ("chunks", "layers", "platforms", "documents", "certificates"):
            rule = {"platforms": RULES["platform"], "chunks": r"blake3:[0-9a-f]{64}"}.get(key, DIGEST)
            need(type(v) is list and all(type(e) is str and re.fullmatch(rule, e) for e in v), key)
        elif kind == "applications":
            names, rule = (v, OWN) if key == "values" else ([v], {"release": RELEASE, "namespace": LABEL, "chart": OWN}[key])
            need(type(names) is list and all(type(n) is str and re.fullmatch(rule, n) for n in names), key)
            need(key == "values" or len(v) <= {"release": 53, "namespace": 63, "chart": 80}[key], key)
        elif key == "role": need(v in {"binaries": ROLES, "files": FILE_ROLES}.get(kind, IMAGE_ROLES), key)
        elif key == "name" and kind == "files": need(type(v) is str and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", v), key)
        elif key == "resolved": need(moment(v), key)
        elif key == "unverified": need(type(v) is bool, key)
        elif key == "verified_by":
            need(type(v) is list and len(v) <= 16, key)
            for one in v: verification(one)
        elif key == "unattested": need(v in ("not-found", "no-answer", "sigstore-bundle") and not value["attestations"], key)
        elif key == "by": need(type(v) is str and v in NAMERS and NAMERS[v] == ("name" in value), key)
        elif key == "name" and kind == "named_by": need(v and plain(v, 256), key)
        elif key == "log": need(v is None or type(v) is str and re.fullmatch(DIGEST, v), key)
        elif key == "version": need(v is None or re.fullmatch(RULES["kubernetes_version"], v), key)
        else:
            rule = next(rule for names, rule in RULES.items() if key in names.split("|"))
            need(rule(v) if callable(rule) else type(v) is str and re.fullmatch(rule, v), key)
            need(key != "reference" or spelled_out(v), key)

def index(data):
    def unique(pairs):
        need(len(dict(pairs)) == len(pairs), "a key is there twice")
        return dict(pairs)
    try:
        found = json.loads(data.decode(), object_pairs_hook=unique)
        need(json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode() == data, "the index is not canonical")
    except (ValueError, RecursionError) as error: raise Bad(4, str(error)[:60])
    shape("index", found)
    return found

def tar_header(path, size):
    octal = lambda n, width: b"%0*o\0" % (width - 1, n)
    length = octal(size, 12) if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    block = path.encode().ljust(100, b"\0") + octal(0o755 if path.startswith("bin/") else 0o644, 8) + octal(0, 8) * 2 + length \
        + octal(0, 12) + b" " * 8 + b"0" + bytes(100) + b"ustar  \0" + bytes(247)
    return block[:148] + octal(sum(block), 8) + block[156:]

def parts(found):
    """Each member belongs to a part, each part's members are there, nothing is there twice."""
    platforms, members = found["cluster"]["platforms"], {m["path"]: m for m in found["members"]}
    need(platforms and platforms == sorted(set(platforms)), "the platforms")
    need([s["platform"] for s in found["stubs"]] == platforms, "a stub for each platform")
    wanted = {"images/oci-layout", "images/index.json"} | {"images/manifest.json" if len(platforms) == 1
              else f"images/{p}/manifest.json" for p in platforms}
    need([(b["platform"], b["role"]) for b in found["binaries"]] == [(p, r) for p in platforms for r in (ROLES if "applications" in found else ROLES[:4])], "the programs")
    for part in found["binaries"]:
        path = f"bin/{part['platform']}/{part['role']}"
        wanted.add(path)
        need(path in members and (part["size"], part["sha256"]) == (members[path]["size"], members[path]["sha256"]), path)
    if "packages" in found:
        wanted.add("packages.json")
        listed = members.get("packages.json", {"sha256": "", "size": 0})
        need(listed["sha256"] == found["packages"] and listed["size"] <= 16 << 20, "packages.json")
    own = found.get("files", [])
    order = [(FILE_ROLES.index(f["role"]), f["name"]) for f in own]
    need(order == sorted(set(order)) and not any(f["origin"]["attestations"] for f in own), "the files")
    for part in own:
        path = f"{DIRECTORIES[FILE_ROLES.index(part['role'])]}/{part['name']}"
        wanted.add(path)
        need(path in members and (part["size"], part["sha256"]) == (members[path]["size"], members[path]["sha256"]), path)
    applications = found.get("applications", [])
    used = {(2, a["chart"]) for a in applications} | {(3, v) for a in applications for v in a["values"]}
    need(len({(a["namespace"], a["release"]) for a in applications}) == len(applications), "two releases of one name")
    need({o for o in order if o[0] > 1} == used, "the charts and values")
    split = lambda name: (name.split("/", 1)[0], name.split("/", 1)[1].rsplit(":", 1))  # as the packer sorts names
    order = [(i["platform"], IMAGE_ROLES.index(i["role"]), split(i["reference"])) for i in found["images"]]
    need(order == sorted(order) and len({(p, n[0], *n[1]) for p, _, n in order}) == len(order), "the order of the images")
    need([p for p, role, _ in order if role == 0] == platforms and {p for p, _, _ in order} <= set(platforms), "the node images")
    names = sorted({i["reference"] for i in found["images"]}, key=split) if len(platforms) > 1 else []
    need([l["reference"] for l in found["image_indexes"]] == names, "the lists")
    blobs = {d for i in found["images"] for d in [i["config"], i["manifest"], *i["layers"]]} | {l["digest"] for l in found["image_indexes"]}
    wanted |= {"images/blobs/sha256/" + d[7:] for d in blobs}
    wanted |= signed(found)
    need(wanted == set(members) and len(members) == len(found["members"]) <= 20000, "members and parts")
    need(all(m["path"][20:] == m["sha256"][7:] for p, m in members.items() if "/blobs/" in p), "a blob's name")
    need(all(m["path"][13:] == m["sha256"][7:] and m["size"] <= 4 << 20 for p, m in members.items()
             if p.startswith("attestations/")), "a file of an attestation")
    need(sum(m["size"] for p, m in members.items() if p.startswith("attestations/")) <= 64 << 20, "the attestations")

def signed(found):
    """The members of the publishers' signatures."""
    files = set()
    for part in found["binaries"] + found["images"]:
        need(len(part["origin"]["attestations"]) <= 8 and len(part.get("named_by", [])) <= 16, "the attestations")
        for one in part["origin"]["attestations"]:
            documents, certificates = one["documents"], one["certificates"]
            need(0 < len(certificates) <= 8 and len(documents) <= 8 and bool(documents) == ("reference" in part), "a signature")
            files |= {*documents, one["signature"], *certificates} | ({one["log"]} if one["log"] else set())
    return {"attestations/" + digest[7:] for digest in files}

DOCUMENTS = {}
def documents(found):
    """The documents of the image layout, as they follow from the index."""
    sizes, kind = {m["sha256"]: m["size"] for m in found["members"] if "/blobs/" in m["path"]}, "application/vnd.oci.image."
    write = lambda value: json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    blob = lambda what, digest, **more: {"mediaType": kind + what, "digest": digest, "size": sizes[digest], **more}
    of = lambda image: blob("manifest.v1+json", image["manifest"], platform={"architecture": image["platform"][6:], "os": "linux"})
    listing = lambda manifests: write({"schemaVersion": 2, "mediaType": kind + "index.v1+json", "manifests": manifests})
    named = lambda part, entry: {**entry, "annotations": {"io.containerd.image.name": part["reference"], "org.opencontainers.image.ref.name": part["reference"]}}
    place, single = lambda digest: "blobs/sha256/" + digest[7:], len(found["cluster"]["platforms"]) == 1
    for i in found["images"]:
        DOCUMENTS["images/" + place(i["manifest"])] = write({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
            "config": blob("config.v1+json", i["config"]), "layers": [blob("layer.v1.tar", l) for l in i["layers"]]})
    for l in found["image_indexes"]:
        DOCUMENTS["images/" + place(l["digest"])] = listing([of(i) for i in found["images"] if i["reference"] == l["reference"]])
    DOCUMENTS["images/oci-layout"] = write({"imageLayoutVersion": "1.0.0"})
    DOCUMENTS["images/index.json"] = listing([named(i, of(i)) for i in found["images"]] if single
                                             else [named(l, blob("index.v1+json", l["digest"])) for l in found["image_indexes"]])
    for p in found["cluster"]["platforms"]:
        DOCUMENTS["images/manifest.json" if single else f"images/{p}/manifest.json"] = write(
            [{"Config": place(i["config"]), "RepoTags": [i["reference"]], "Layers": [place(l) for l in i["layers"]]}
             for i in found["images"] if i["platform"] == p])

def describe(found, path, content):
    """A config says of its images what the index says; the other documents follow from it."""
    expected = DOCUMENTS.get(path)
    need(expected is None or content == expected, path)
    for image in found["images"]:
        try:
            if path.endswith(image["config"][7:]):
                said = json.loads(content)
                need(len(content) <= 4 << 20 and f"{said['os']}/{said['architecture']}" == image["platform"]
                     and said["rootfs"].get("diff_ids", []) == image["layers"], image["reference"])
        except (ValueError, KeyError, TypeError, RecursionError): raise Bad(4, image["reference"])

def payload(found, stored):
    at, rest = 0, iter(found["members"])
    for frame, last in zip(found["frames"], [False] * (len(found["frames"]) - 1) + [True]):
        data, at = stored[at:at + frame["size"]], at + frame["size"]
        form, single = data[4] if len(data) > 4 else 255, data[4:5] > b"\x1f" and data[4] >> 5 & 1
        field, start = {0: single, 1: 2, 2: 4, 3: 8}[form >> 6], 5 if single else 6
        content = int.from_bytes(data[start:start + field], "little") + (256 if form >> 6 == 1 else 0)
        window = frame["plain_size"] if single else (1 << 10 + (data[5] >> 3)) // 8 * (8 + (data[5] & 7))
        need(data[:4] == b"\x28\xb5\x2f\xfd" and form & 31 == 0 and field and window <= 1 << 27, "the form of a frame")
        need(content == frame["plain_size"] <= 1 << 30, "a frame's content size")
        place = start + field
        while place + 3 <= len(data):  # blocks, the last of which ends the frame
            block = int.from_bytes(data[place:place + 3], "little")
            place += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
            if block & 1: break
        need(place == len(data), "what follows a frame")
        said = subprocess.run(["zstd", "-dcq", "--long=27"], input=data, capture_output=True)
        tar, place = said.stdout, 0
        need(said.returncode == 0 and len(tar) == frame["plain_size"], "a frame does not decode")
        for m in [next(rest) for _ in range(frame["members"])]:
            content, end = tar[place + 512:place + 512 + m["size"]], place + 512 + -(-m["size"] // 512) * 512
            need(tar[place:place + 512] == tar_header(m["path"], m["size"]) and sha(content) == m["sha256"]
                 and not any(tar[place + 512 + m["size"]:end]), m["path"])
            describe(found, m["path"], content)
            place = end
        need(tar[place:] == bytes(1024 if last else 0), "the end of the archive")

def read(path, key):
    data = open(path, "rb").read()
    field = lambda at, width: int.from_bytes(data[len(data) - 80 + at:len(data) - 80 + at + width], "little")
    start, length, end = field(24, 8), field(32, 8), len(data) - 218
    need(len(data) > 80 and data[-80:-72] == b"MKOFFLN\n" and field(8, 4) == 1 and field(12, 4) == 80
         and field(16, 8) == len(data) and field(40, 8) == 138 and start + length == end and 0 < length <= 8 << 20, "the trailer")
    need(hashlib.sha256(data[start:end + 138]).digest() == data[-32:], "the seal")
    run, comment = data[end:end + 138], "minikube-offline format 1 index"
    need(run == bytes(138) or run[:2] == b"ED", "the signature")
    if key:
        need(any(run), "not signed", 3)
        with tempfile.TemporaryDirectory() as directory:
            lines = ["untrusted comment: x", base64.b64encode(run[:74]).decode(), "trusted comment: " + comment,
                     base64.b64encode(run[74:]).decode(), ""]
            open(f"{directory}/index", "wb").write(data[start:end])
            open(f"{directory}/index.minisig", "w").write("\n".join(lines))
            said = subprocess.run(["minisign", "-VHm", f"{directory}/index", "-P", key], capture_output=True)
            need(said.returncode == 0, "not signed with this key", 3)
    found, sizes = index(data[start:end]), lambda key: [e["size"] for e in found[key]]
    parts(found)
    header, front = found["header"]["size"], found["header"]["size"] + sum(sizes("stubs"))
    need(all(s and s % 4096 == 0 for s in [header, *sizes("stubs")]) and header <= 65536
         and all(s <= 64 << 20 for s in sizes("stubs")), "header and stubs")
    need(sum(f["members"] for f in found["frames"]) == len(found["members"]) and all(sizes("frames")), "the frames")
    stored, total = data[front:start - 8], sum(sizes("frames"))
    if found["volumes"]:
        need(not stored and len(set(sizes("volumes")[:-1])) <= 1 and (len(found["volumes"]) == 1 or sizes("volumes")[0] % (1 << 20) == 0), "the volumes")
        files = [open(f"{path}.{n:03}", "rb").read() if os.path.exists(f"{path}.{n:03}") else b"" for n in range(1, len(found["volumes"]) + 1)]
        need(all((len(f), sha(f)) == (v["size"], v["sha256"]) for f, v in zip(files, found["volumes"])), "a volume")
        surplus = [n for n in [0, *range(len(files) + 1, 1000)] if os.path.lexists(f"{path}.{n:03}")]
        need(not surplus, "a surplus volume")
        stored = b"".join(files)
    need(len(stored) == total and data[start - 8:start] == b"\x50\x2a\x4d\x18" + (len(data) - start).to_bytes(4, "little"), "the payload's place")
    at = 0
    for run in [found["header"], *found["stubs"]]:
        need(sha(data[at:at + run["size"]]) == run["sha256"], "header or stub")
        at += run["size"]
    need([blake3(stored[n:n + (1 << 20)]) for n in range(0, total, 1 << 20)] == found["chunks"], "a chunk")
    documents(found)
    payload(found, stored)

try:
    read(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    print("whole")
except Bad as bad:
    print(bad.args[1])
    sys.exit(bad.args[0])
