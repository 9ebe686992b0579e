#!/bin/sh
# Fills upstream: images into the registry that takes them at plain.example:5000,
# programs into the release pages' directories. What is the stand-in among them gets a text
# behind it, which makes each differ from the others, and tells minikube its node image.
# Usage: fill.sh DIR STANDIN PARTS   PARTS as sample-parts.sh makes them
set -eu
directory=$1 standin=$2 parts=$3
case $(uname -m) in aarch64) arch=arm64 ;; *) arch=amd64 ;; esac
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$directory/policy.json"
put() { # put ARCHIVE REPOSITORY:TAG
    skopeo --policy "$directory/policy.json" copy --quiet --dest-tls-verify=false --dest-compress-level 1 \
        --digestfile "$directory/digest" "docker-archive:$1" "docker://plain.example:5000/$2"
}
find -L "$parts/images" -type f | sort >"$directory/archives"
while read -r archive; do
    name=$(tar -xOf "$archive" manifest.json | sed 's/.*"RepoTags":\["\([^"]*\)".*/\1/')
    case $name in
    registry.k8s.io/*) put "$archive" "k8s-artifacts-prod/images/${name#*/}" ;;
    *) put "$archive" "${name#*/}" ;;
    esac
done <"$directory/archives"
put "$parts/images/app.tar" plain:1
put "$parts/kicbase.tar" k8s-minikube/kicbase:v0.0.50

minikube=$("$parts/minikube" version --short) version=$("$parts/binaries/kubeadm" version -o short)
releases=$directory/files/release-assets.githubusercontent.com/kubernetes/minikube/releases/download/$minikube
kubernetes=$directory/files/cdn.dl.k8s.io/release
mkdir -p "$releases" "$kubernetes/$version/bin/linux/$arch"
publish() { # publish PROGRAM FILE TEXT
    cp "$1" "$2"
    if cmp -s "$1" "$standin"; then printf '\n%s' "$3" >>"$2"; fi
    sha256sum "$2" | cut -d ' ' -f 1 >"$2.sha256"
}
publish "$parts/minikube" "$releases/minikube-linux-$arch" \
    "standin-answers {\"node_image\":\"gcr.io/k8s-minikube/kicbase:v0.0.50@$(cat "$directory/digest")\"}"
list=$directory/files/storage.googleapis.com/minikube/releases-v2.json
mkdir -p "$(dirname "$list")"
printf '[{"checksums":{"%s":{"linux":"%s"}},"name":"%s"}]' \
    "$arch" "$(cat "$releases/minikube-linux-$arch.sha256")" "$minikube" >"$list"
for program in kubeadm kubelet kubectl; do
    publish "$parts/binaries/$program" "$kubernetes/$version/bin/linux/$arch/$program" "$program"
done
echo "$version" >"$kubernetes/stable-$(echo "${version#v}" | cut -d . -f 1,2).txt"
