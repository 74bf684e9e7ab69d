"""The Helm charts of the demo's Applications and the values files beside them, as files; pure."""

from collections.abc import Mapping

from onebox.world.content import VALUES_FILE, DemoApplication

_CHART = """\
apiVersion: v2
name: {application.name}
description: The {application.name} Application of the demo
version: 0.1.0
"""

_VALUES_HEAD = "# The first builds; later ones are released by an override file beside this one.\n"

_VALUES = """\
{image.alias}:
  image: {registry}/{image.repository}
  tag: {tag}
  replicas: 2
"""

_DEFAULTS = """\
# Defaults; what production runs stands in {file}.
{image.alias}:
  replicas: 1
"""

_PRODUCTION = """\
# {application.name} in production. These lines are ours: talk to us before you change them.
# A promotion moves the tag, and leaves everything else as it stands.

{image.alias}:
  replicas: 3   # two are too few on a Monday morning
  image: {registry}/{image.repository}
  tag: '{tag}'   # what customers see
"""

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-ALIAS
spec:
  replicas: {{ .Values.ALIAS.replicas }}
  selector:
    matchLabels:
      app.kubernetes.io/component: ALIAS
  template:
    metadata:
      labels:
        app.kubernetes.io/component: ALIAS
    spec:
      containers:
        - name: ALIAS
          image: "{{ .Values.ALIAS.image }}:{{ .Values.ALIAS.tag }}"
"""


def with_own_values(
    application: DemoApplication, *, registry: str, tags: Mapping[str, str]
) -> dict[str, bytes]:
    """Return a chart whose values name the images; `tags` has the first build of each."""
    values = [
        _VALUES.format(image=image, registry=registry, tag=tags[image.repository])
        for image in application.images
    ]
    return _chart(application, values="".join((_VALUES_HEAD, *values)))


def with_defaults(application: DemoApplication) -> dict[str, bytes]:
    """Return a chart that leaves its one image to a values file."""
    (image,) = application.images
    return _chart(application, values=_DEFAULTS.format(image=image, file=VALUES_FILE))


def production_values(
    application: DemoApplication, *, registry: str, tags: Mapping[str, str]
) -> dict[str, bytes]:
    """Return the values file that people keep for production."""
    (image,) = application.images
    tag = tags[image.repository]
    text = _PRODUCTION.format(application=application, image=image, registry=registry, tag=tag)
    return {VALUES_FILE: text.encode()}


def _chart(application: DemoApplication, *, values: str) -> dict[str, bytes]:
    deployments = [_DEPLOYMENT.replace("ALIAS", image.alias) for image in application.images]
    texts = {
        "Chart.yaml": _CHART.format(application=application),
        "values.yaml": values,
        "templates/deployment.yaml": "---\n".join(deployments),
    }
    return {path: text.encode() for path, text in texts.items()}
