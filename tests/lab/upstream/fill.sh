#!/bin/sh
# Fills upstream: sample images into the registry that takes them at plain.example:5000,
# programs into the release pages' folders.
# Usage: fill.sh FOLDER STANDIN
set -eu
here=$(cd "$(dirname "$0")" && pwd) folder=$1 standin=$2
case $(uname -m) in aarch64) arch=arm64 ;; *) arch=amd64 ;; esac
"$here/../sample-parts.sh" "$standin" "$folder/parts"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$folder/policy.json"
put() { # put ARCHIVE REPOSITORY:TAG
    skopeo --policy "$folder/policy.json" copy --quiet --dest-tls-verify=false --digestfile "$folder/digest" \
        "docker-archive:$1" "docker://plain.example:5000/$2"
}
for archive in "$folder"/parts/images/*.tar; do
    name=$(tar -xOf "$archive" manifest.json | sed 's/.*"RepoTags":\["\([^"]*\)".*/\1/')
    case $name in
    registry.k8s.io/*) put "$archive" "k8s-artifacts-prod/images/${name#*/}" ;;
    *) put "$archive" "${name#*/}" ;;
    esac
done
put "$folder/parts/images/app.tar" plain:1
put "$folder/parts/kicbase.tar" k8s-minikube/kicbase:v0.0.50

releases=$folder/files/release-assets.githubusercontent.com/kubernetes/minikube/releases/download/v1.38.1
kubernetes=$folder/files/cdn.dl.k8s.io/release
mkdir -p "$releases" "$kubernetes/v1.35.4/bin/linux/$arch"
publish() { # publish FILE TEXT: the stand-in, made different from the others by the text
    { cat "$standin" && printf '\n%s' "$2"; } >"$1"
    sha256sum "$1" | cut -d ' ' -f 1 >"$1.sha256"
}
publish "$releases/minikube-linux-$arch" \
    "standin-answers {\"node_image\":\"gcr.io/k8s-minikube/kicbase:v0.0.50@$(cat "$folder/digest")\"}"
for program in kubeadm kubelet kubectl; do publish "$kubernetes/v1.35.4/bin/linux/$arch/$program" "$program"; done
echo v1.35.4 >"$kubernetes/stable-1.35.txt"
