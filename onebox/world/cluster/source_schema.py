"""The schema of an Application's source: where it is, and each tool's settings."""

from onebox.world.cluster.schema import (
    ANYTHING,
    BOOLEAN,
    INTEGER_OR_STRING,
    STRING,
    STRING_MAP,
    STRINGS,
    ListOf,
    MapOf,
    struct,
)

NAME_VALUE = struct("name value", name=STRING, value=STRING)

HELM = struct(
    valueFiles=STRINGS,
    # No key of a parameter is required, so `{}` is storable.
    parameters=ListOf(struct(name=STRING, value=STRING, forceString=BOOLEAN)),
    fileParameters=ListOf(struct(name=STRING, path=STRING)),
    values=STRING,
    valuesObject=ANYTHING,  # the only place of the resource that keeps unknown fields
    ignoreMissingValueFiles=BOOLEAN,
    releaseName=STRING,
    namespace=STRING,
    version=STRING,
    passCredentials=BOOLEAN,
    skipCrds=BOOLEAN,
    skipTests=BOOLEAN,
    skipSchemaValidation=BOOLEAN,
    kubeVersion=STRING,
    apiVersions=STRINGS,
)

KUSTOMIZE = struct(
    images=STRINGS,
    replicas=ListOf(struct("name count", name=STRING, count=INTEGER_OR_STRING)),
    namePrefix=STRING,
    nameSuffix=STRING,
    namespace=STRING,
    commonLabels=STRING_MAP,
    commonAnnotations=STRING_MAP,
    forceCommonLabels=BOOLEAN,
    forceCommonAnnotations=BOOLEAN,
    commonAnnotationsEnvsubst=BOOLEAN,
    labelWithoutSelector=BOOLEAN,
    labelIncludeTemplates=BOOLEAN,
    patches=ListOf(
        struct(
            path=STRING,
            patch=STRING,
            options=MapOf(BOOLEAN),
            target=struct(
                group=STRING,
                version=STRING,
                kind=STRING,
                name=STRING,
                namespace=STRING,
                annotationSelector=STRING,
                labelSelector=STRING,
            ),
        )
    ),
    components=STRINGS,
    ignoreMissingComponents=BOOLEAN,
    version=STRING,
    kubeVersion=STRING,
    apiVersions=STRINGS,
)

_JSONNET_VARIABLE = struct("name value", name=STRING, value=STRING, code=BOOLEAN)

DIRECTORY = struct(
    recurse=BOOLEAN,
    include=STRING,
    exclude=STRING,
    jsonnet=struct(extVars=ListOf(_JSONNET_VARIABLE), tlas=ListOf(_JSONNET_VARIABLE), libs=STRINGS),
    disableExtensionFilter=BOOLEAN,
)

PLUGIN = struct(
    name=STRING,
    env=ListOf(NAME_VALUE),
    parameters=ListOf(struct(name=STRING, string=STRING, map=STRING_MAP, array=STRINGS)),
)

SOURCE = struct(
    "repoURL",
    repoURL=STRING,
    path=STRING,
    targetRevision=STRING,
    chart=STRING,
    ref=STRING,
    name=STRING,
    tagPrefix=STRING,
    helm=HELM,
    kustomize=KUSTOMIZE,
    directory=DIRECTORY,
    plugin=PLUGIN,
)
