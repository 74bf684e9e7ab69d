"""The demo's kustomization, as files; pure."""

from collections.abc import Mapping

from onebox.world.content import DEPLOY_PATH, DemoApplication

_KUSTOMIZATION = """\
# What production runs of {application.name}.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
images:
  # The manifests name the image without its registry and tag.
  - name: {image.repository}
    newName: {registry}/{image.repository}
    newTag: {tag}
"""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {application.name}-{image.alias}
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/component: {image.alias}
  template:
    metadata:
      labels:
        app.kubernetes.io/component: {image.alias}
    spec:
      containers:
        - name: {image.alias}
          image: {image.repository}
"""


def files(
    application: DemoApplication, *, registry: str, tags: Mapping[str, str]
) -> dict[str, bytes]:
    """Return a kustomization of one image; `tags` has its first build."""
    (image,) = application.images
    tag = tags[image.repository]
    texts = {
        "kustomization.yaml": _KUSTOMIZATION.format(
            application=application, image=image, registry=registry, tag=tag
        ),
        "deployment.yaml": _DEPLOYMENT.format(application=application, image=image),
    }
    return {f"{DEPLOY_PATH}/{name}": text.encode() for name, text in texts.items()}
