"""The names of the annotations we read (specification 1.1)."""

PREFIX = "argocd-image-updater.argoproj.io/"
OWN_PREFIX = "countersign.dev/"
IMAGE_LIST = f"{PREFIX}image-list"
SOURCE_NAME = f"{OWN_PREFIX}source-name"
SOURCE_INDEX = f"{OWN_PREFIX}source-index"
PIN = f"{OWN_PREFIX}pin"
PULL_REQUEST = f"{OWN_PREFIX}pull-request"
OWN_KEYS = (SOURCE_NAME, SOURCE_INDEX, PIN, PULL_REQUEST)

APPLICATION_ONLY = ("write-back-method", "write-back-target", "git-branch", "git-repository")
APPLICATION_KEYS = (
    "image-list",
    "update-strategy",
    "force-update",
    "allow-tags",
    "ignore-tags",
    "pull-secret",
    *APPLICATION_ONLY,
)
IMAGE_ONLY = (
    "tag-match",
    "platforms",
    "helm.image-name",
    "helm.image-tag",
    "helm.image-spec",
    "kustomize.image-name",
)
IMAGE_KEYS = (
    "update-strategy",
    "force-update",
    "allow-tags",
    "ignore-tags",
    "pull-secret",
    *IMAGE_ONLY,
)
