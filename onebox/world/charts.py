"""The Helm charts of the demo's Applications, as files; pure."""

from collections.abc import Mapping

from onebox.world.content import DemoApplication

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


def files(
    application: DemoApplication, *, registry: str, tags: Mapping[str, str]
) -> dict[str, bytes]:
    """Return the chart's files by path; `tags` names the first build of each image."""
    values = [
        _VALUES.format(image=image, registry=registry, tag=tags[image.repository])
        for image in application.images
    ]
    deployments = [_DEPLOYMENT.replace("ALIAS", image.alias) for image in application.images]
    texts = {
        "Chart.yaml": _CHART.format(application=application),
        "values.yaml": "".join((_VALUES_HEAD, *values)),
        "templates/deployment.yaml": "---\n".join(deployments),
    }
    return {path: text.encode() for path, text in texts.items()}
