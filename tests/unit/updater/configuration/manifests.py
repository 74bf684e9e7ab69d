"""Small Application manifests and ImageUpdater resources for the tests of this package."""

from updater.configuration import reading

PREFIX = "argocd-image-updater.argoproj.io/"
REPOSITORY = "https://git.example.com/acme/deploy.git"
IMAGES = {"image-list": "app=ghcr.io/acme/app"}
GIT = {**IMAGES, "write-back-method": "git"}


def source(**fields):
    """Return a directory source of the usual git repository."""
    return {"repoURL": REPOSITORY, "path": "apps/shop", "targetRevision": "main"} | fields


def manifest(
    annotations=None, *, own=None, name="shop", namespace="argocd", spec=None, status=None
):
    """Return an Application; `annotations` without the prefix, `own` with their whole names."""
    keys = {f"{PREFIX}{key}": value for key, value in (annotations or {}).items()} | (own or {})
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": namespace, "annotations": keys},
        "spec": {"source": source()} if spec is None else spec,
        "status": {"sourceType": "Helm", **(status or {})},
    }


def image_updater(*references, name="images", namespace="argocd", **spec):
    """Return an ImageUpdater resource with these application references."""
    return {
        "kind": "ImageUpdater",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"applicationRefs": list(references), **spec},
    }


def reference(pattern="shop", *images, **fields):
    """Return an application reference; without images it lists the usual one."""
    listed = list(images) or [{"alias": "app", "imageName": "ghcr.io/acme/app"}]
    return {"namePattern": pattern, "images": listed, **fields}


def read(annotations=None, *, exact=False, resources=(), **fields):
    """Read an Application with these annotations (without the prefix)."""
    return reading.read(manifest(annotations, **fields), image_updaters=resources, exact=exact)


def codes(configuration, *, fatal=None):
    """Return (code, alias) of the problems, of one weight if asked."""
    return [
        (problem.code, problem.alias)
        for problem in configuration.problems
        if fatal is None or problem.fatal is fatal
    ]
