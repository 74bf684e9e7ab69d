"""The schema of the Application resource: its fields, and the few that are required."""

from onebox.world.cluster.schema import (
    ANYTHING,
    BOOLEAN,
    INTEGER,
    STRING,
    STRING_MAP,
    STRINGS,
    ListOf,
    Scalar,
    struct,
)
from onebox.world.cluster.source_schema import (
    DIRECTORY,
    HELM,
    KUSTOMIZE,
    NAME_VALUE,
    PLUGIN,
    SOURCE,
)

_HYDRATOR = struct(
    drySource=struct(
        "repoURL path targetRevision",
        repoURL=STRING,
        path=STRING,
        targetRevision=STRING,
        helm=HELM,
        kustomize=KUSTOMIZE,
        directory=DIRECTORY,
        plugin=PLUGIN,
    ),
    syncSource=struct("targetBranch path", repoURL=STRING, targetBranch=STRING, path=STRING),
    hydrateTo=struct("targetBranch", targetBranch=STRING),
)

_DESTINATION = struct(server=STRING, name=STRING, namespace=STRING)

_IGNORE_DIFFERENCES = ListOf(
    struct(
        "kind",
        group=STRING,
        kind=STRING,
        name=STRING,
        namespace=STRING,
        jsonPointers=STRINGS,
        jqPathExpressions=STRINGS,
        managedFieldsManagers=STRINGS,
    )
)

_RETRY = struct(
    limit=INTEGER,
    backoff=struct(duration=STRING, factor=INTEGER, maxDuration=STRING),
    refresh=BOOLEAN,
)

_NAMESPACE_METADATA = struct(labels=STRING_MAP, annotations=STRING_MAP)

SPEC = struct(
    "project destination",
    project=STRING,
    destination=_DESTINATION,
    source=SOURCE,
    sources=ListOf(SOURCE),
    sourceHydrator=_HYDRATOR,
    syncPolicy=struct(
        automated=struct(prune=BOOLEAN, selfHeal=BOOLEAN, allowEmpty=BOOLEAN, enabled=BOOLEAN),
        syncOptions=STRINGS,
        retry=_RETRY,
        managedNamespaceMetadata=_NAMESPACE_METADATA,
    ),
    ignoreDifferences=_IGNORE_DIFFERENCES,
    info=ListOf(NAME_VALUE),
    revisionHistoryLimit=INTEGER,
)

_SYNC_STRATEGY = struct(apply=struct(force=BOOLEAN), hook=struct(force=BOOLEAN))

_INITIATED_BY = struct(username=STRING, automated=BOOLEAN)

OPERATION = struct(
    initiatedBy=_INITIATED_BY,
    info=ListOf(NAME_VALUE),
    retry=_RETRY,
    sync=struct(
        revision=STRING,
        revisions=STRINGS,
        prune=BOOLEAN,
        dryRun=BOOLEAN,
        syncStrategy=_SYNC_STRATEGY,
        syncOptions=STRINGS,
        resources=ListOf(
            struct(
                "kind name",
                group=STRING,
                kind=STRING,
                name=STRING,
                namespace=STRING,
                exclude=BOOLEAN,
            )
        ),
        source=SOURCE,
        sources=ListOf(SOURCE),
        manifests=STRINGS,
        autoHealAttemptsCount=INTEGER,
    ),
)

_SYNC_RESULT = struct(
    "revision",
    revision=STRING,
    revisions=STRINGS,
    source=SOURCE,
    sources=ListOf(SOURCE),
    managedNamespaceMetadata=_NAMESPACE_METADATA,
    resources=ListOf(
        struct(
            "group version kind namespace name",
            group=STRING,
            version=STRING,
            kind=STRING,
            namespace=STRING,
            name=STRING,
            status=STRING,
            message=STRING,
            hookType=STRING,
            hookPhase=STRING,
            syncPhase=STRING,
            images=STRINGS,
        )
    ),
)

_HEALTH = struct(status=STRING, message=STRING, lastTransitionTime=STRING)

_HYDRATE_OPERATION = struct(
    phase=Scalar((str,), "string", allowed=("Hydrating", "Failed", "Hydrated")),
    startedAt=STRING,
    finishedAt=STRING,
    message=STRING,
    drySHA=STRING,
    hydratedSHA=STRING,
    sourceHydrator=_HYDRATOR,
)

STATUS = struct(
    sync=struct(
        "status",
        status=STRING,
        revision=STRING,
        revisions=STRINGS,
        comparedTo=struct(
            "destination",
            source=SOURCE,
            sources=ListOf(SOURCE),
            destination=_DESTINATION,
            ignoreDifferences=_IGNORE_DIFFERENCES,
        ),
    ),
    health=_HEALTH,
    operationState=struct(
        "operation phase startedAt",
        operation=OPERATION,
        phase=STRING,
        message=STRING,
        startedAt=STRING,
        finishedAt=STRING,
        retryCount=INTEGER,
        syncResult=_SYNC_RESULT,
    ),
    history=ListOf(
        struct(
            "id deployedAt",
            id=INTEGER,
            revision=STRING,
            revisions=STRINGS,
            source=SOURCE,
            sources=ListOf(SOURCE),
            deployStartedAt=STRING,
            deployedAt=STRING,
            initiatedBy=_INITIATED_BY,
        )
    ),
    resources=ListOf(
        struct(
            group=STRING,
            version=STRING,
            kind=STRING,
            namespace=STRING,
            name=STRING,
            status=STRING,
            hook=BOOLEAN,
            requiresPruning=BOOLEAN,
            syncWave=INTEGER,
            requiresDeletionConfirmation=BOOLEAN,
            health=_HEALTH,
        )
    ),
    conditions=ListOf(
        struct("type message", type=STRING, message=STRING, lastTransitionTime=STRING)
    ),
    summary=struct(images=STRINGS, externalURLs=STRINGS, isAppOfApps=BOOLEAN),
    sourceType=STRING,
    sourceTypes=STRINGS,
    reconciledAt=STRING,
    observedAt=STRING,
    controllerNamespace=STRING,
    resourceHealthSource=STRING,
    sourceHydrator=struct(
        currentOperation=_HYDRATE_OPERATION,
        lastSuccessfulOperation=_HYDRATE_OPERATION,
        lastComparedDryRevision=STRING,
    ),
)

APPLICATION = struct(
    "metadata spec",
    apiVersion=STRING,
    kind=STRING,
    metadata=ANYTHING,
    spec=SPEC,
    operation=OPERATION,
    status=STATUS,
)
