/**
 * Every bound in Larder, each with its unit and its reason, and the relations between them.
 *
 * Exceeding one is an error before any work is done: `resource_exhausted` for what is too much,
 * `invalid_argument` for what can never be right.
 */
import { assert } from './assert.js'

const kibi = 1024
const mebi = 1024 * 1024

/** Rows in one GetFeatures or Predict: DoorDash's published batches reach 1,000 lookups a request. */
export const requestRowsMax = 1000
/** Models in one Predict. */
export const requestModelsMax = 16
/** Columns a request or batch may carry. */
export const requestColumnsMax = 2048
/** Values (rows x features) in one reply: 1,000 rows of 1,000 features. */
export const replyValuesMax = 1_000_000
/**
 * Models of one request that are scored at once: each holds its inputs' columns meanwhile, and there are
 * not more threads than a few.
 */
export const modelsAtOnceMax = 4
/**
 * Input cells of several models that are resolved between two turns of the event loop: measured on a busy
 * machine, 2 ms where they are stored numbers, 35 ms where all are texts.
 */
export const cellsPerTurnMax = 100_000
/** Bytes of one gRPC message: grpc-js's default of 4 MiB is too little for a bulk batch. */
export const messageBytesMax = 32 * mebi

/** Calls under way at once: each may hold a megabyte, and a client that waits for more waits in vain. */
export const callsUnderWayMax = 1024
/** Rows in one WriteFeatures batch. */
export const batchRowsMax = 10_000
/** Bytes of a batch id, and of a load's. */
export const batchIdBytesMax = 128
/** Rows in one SampleRows: encoding profiles learned from more are hardly better. */
export const sampleRowsMax = 16_384
/** Rows that a sample is spread over, the first in the order of the warm tier: about a second. */
export const sampleScannedRowsMax = 16 * sampleRowsMax
/** Batches of one stream that may be under way at once; the stream waits beyond that. */
export const batchesInFlightMax = 4
/** Bad rows that an acknowledgement lists one by one; it always says how many there were. */
export const badRowsToldMax = 100
/** How long a batch id is remembered, so that its retry reuses its sequence. */
export const batchMemoryMs = 7 * 24 * 3600 * 1000

/** Bytes of an entity key: checked before any tier. Fits every tier's own bound, LMDB's 1,978 least. */
export const entityKeyBytesMax = 1024
/** Longer entity keys are hashed in hot: a 128-bit hash and 8 check bytes cost less from here on. */
export const hotRawKeyBytesMax = 40
/** Bytes of one encoded row. */
export const rowBytesMax = 1 * mebi
/** Bytes of one string, categorical or bytes value. */
export const valueBytesMax = 256 * kibi
/** Elements of one list. */
export const listElementsMax = 65_536
/** Dimensions of an embedding. */
export const embeddingDimMax = 16_384
/** Elements of one model input over all rows: the largest embedding in each of the most rows. */
export const inputElementsMax = embeddingDimMax * 1024

/** Characters of a name of an entity, view, feature, service or role. */
export const nameCharsMax = 64
export const viewsMax = 4096
export const featuresPerViewMax = 1024
/** Entities that a view may say it has: their buckets' numbers fit 32 bits. */
export const expectedEntitiesMax = 10_000_000_000
export const joinKeysPerEntityMax = 8
/**
 * Layouts of a view beyond which none can be registered: each load may add one, and a reader knows them
 * all. What a new schema version needs is given even then.
 */
export const layoutsPerViewMax = 1000
/** Encoding profiles of a view: each is part of every later registry version. */
export const profilesPerViewMax = 64
/** Bytes of a stored registry version: a daemon takes up a new one in one piece, in some 0.3 s at most. */
export const registryDocumentBytesMax = 16 * mebi
/** Tries of a registration that others were always faster than. */
export const registrationTriesMax = 8
export const servicesMax = 4096
export const viewsPerServiceMax = 64
export const featuresPerServiceMax = 4096
/** Bytes of all definition files together: 1 MiB (20,000 features) takes about 2 s to check. */
export const definitionsBytesMax = 2 * mebi
export const definitionFilesMax = 1024
/** Problems told at once; beyond that the first are enough to start with. */
export const problemsToldMax = 200
/** How deep YAML may be nested: measured, the parser survives 700 levels on a fresh stack. */
export const yamlNestingMax = 100
/** Values of a YAML file with its aliases unfolded: a few aliases can stand for very many. */
export const yamlUnfoldedNodesMax = 1_000_000
/** Characters of a text that names something outside Larder: a path, a column. */
export const foreignNameCharsMax = 1024
/** Longest ttl and retention, a hundred years: an event time plus it stays far inside an int64. */
export const durationUsMax = 36_500n * 86_400_000_000n
/** Characters of a service feature's name, role and dot included. */
export const featureNameCharsMax = 256
/** Longer names are not compared for "did you mean": the work grows with the product of both. */
export const comparedNameCharsMax = 64
/** Characters of a user's text that a message repeats. */
export const shownTextCharsMax = 80
/** Bytes of larder.yaml and of a model.yaml. */
export const configBytesMax = 1 * mebi

/** Values of one dictionary, and their bytes: a daemon holds those of every layout it may read. */
export const dictionaryValuesMax = 4096
export const dictionaryBytesMax = 64 * kibi
/** Bytes of a profile as JSON: full tables of 1,024 features take half of it, dictionaries the rest. */
export const profileJsonBytesMax = 2 * mebi

/** Fewer rows teach little, and all of them together are small. */
export const learnRowsMin = 1000
/**
 * Cells of a sample that is learned from: learning takes about 2 us for each. Of a view with very many
 * features so many rows all the same: fewer would teach too little.
 */
export const learnCellsMax = 400_000
export const learnSampleRowsMin = 2000
/** A new encoding profile that saves less than this share of the one in use is not worth a layout. */
export const learnSavingShareMin = 0.05
/** Rows that a load sorts by bucket at once, and bytes of their columns; memory holds them twice. */
export const bulkSortRowsMax = 2_000_000
export const bulkSortBytesMax = 512 * mebi

/** Rows of one SQL statement, and its bytes: larger ones stall a CockroachDB cluster. */
export const sqlStatementRowsMax = 1000
export const sqlStatementBytesMax = 1 * mebi
/**
 * Rows that a bucket holds on average, where a view has as many entities as it says. Measured with rows
 * of 90 bytes: 32 take 2 % more memory; 128 take 2 % less, and a read of 200 rows a fifth more of the
 * server's time.
 */
export const rowsPerBucketTarget = 64
/** Rows of one Redis script call: 500 rows hold the server's one thread for about 2 ms. */
export const redisScriptRowsMax = 500
/** Rows of a bucket that a write may look through for expired ones: about 2 ms of the server's thread. */
export const redisBucketSweptRowsMax = 8192
/** Rows of one LMDB transaction. */
export const lmdbTransactionRowsMax = 8192
/** Rows that a scan hands over at once. */
export const scanRowsMax = 1000
/** The memory tier's default bound, rows and keys and their overhead included. */
export const memoryTierBytesDefault = 1024 * mebi

/** How far in the future an event time or a sequence may lie. */
export const futureBoundMs = 3600 * 1000
/** How far the clocks of daemons and stores may differ: added to every expiry. */
export const clockSkewMs = 5 * 60 * 1000
/** Expiries are spread by up to this share, so that rows written together do not expire together. */
export const expiryJitterShare = 0.05
/** How long an acknowledgement waits for `visible` unless the batch says otherwise. */
export const ackTimeoutMsDefault = 5000
export const ackTimeoutMsMax = 60_000
/** Deadline of a read that brought none. */
export const readTimeoutMsDefault = 1000
/** How long a batch may take in warm before it is given up; its retry completes it. */
export const writeTimeoutMs = 30_000
/** Deadline of administrative calls and deletes that brought none. */
export const adminTimeoutMsDefault = 60_000
/** What of a caller's deadline is kept for encoding and sending the reply: a share, up to a bound. */
export const replyMarginShare = 0.1
export const replyMarginMsMax = 20
/** What must be left of a deadline before a fall-through to warm is worth trying. */
export const warmReadFloorMs = 2
/** How old a copy another daemon may serve after an acknowledged write. */
export const maxStalenessMs = { realtime: 1000, standard: 5000, relaxed: 5000 } as const
/** A fill read longer ago than this is dropped: it might hide a newer, acknowledged write. */
export const fillAgeMsMax = readTimeoutMsDefault

/** A daemon's lease on its id; it stops writing when it cannot renew. */
export const leaseMs = 15_000
export const leaseRenewMs = 5000
/** Ids that daemons lease: 10 bits of a write sequence. */
export const daemonIdsMax = 1024
/** How often a daemon looks for a newer registry version: swaps happen within a second. */
export const registryPollMs = 500
/** How often a daemon looks for newer models. */
export const modelPollMs = 1000
/**
 * How far apart two looks that find the same files must be before these are taken: files still being
 * copied have grown by then. A little less than a poll, so that two polls are always enough.
 */
export const modelQuietMs = 900
/** How often expired rows are reclaimed, and pause between tries to reach a tier. */
export const reclaimPeriodMs = 60_000
export const reconnectDelayMs = 1000
/** Grace for calls under way after SIGTERM. */
export const drainMsMax = 10_000

/** Bytes of rows in one script call: it holds the server's one thread while it runs. */
export const redisScriptBytesMax = 4 * mebi
/** How long connecting to Redis may take. */
export const redisConnectTimeoutMs = 5000
/** A connection with a command waiting and nothing received for this long is dead. */
export const redisSilenceMsMax = 10_000
/** Longest pause between two tries to reach a lost Redis. */
export const redisReconnectDelayMsMax = 1000
/** How often a command follows a cluster's redirections: one is usual, two while a slot moves. */
export const redisRedirectionsMax = 5
/** Least pause between two looks at which node of a cluster serves what, and how long one may take. */
export const redisClusterLookMsMin = 250
export const redisClusterLookTimeoutMs = 1000
/** Bytes of rows in one transaction: it holds the event loop while it runs. */
export const lmdbTransactionBytesMax = 8 * mebi
/** Bytes of rows a scan reads before it lets others run. */
export const scanBytesMax = 4 * mebi
/** Rows examined in one reclaim: a few milliseconds of the event loop. */
export const lmdbReclaimExaminedMax = 10_000
/** Named databases of one environment: rows, registry, and room for what comes. */
export const lmdbDatabasesMax = 8
/** Rows examined in one reclaim: about a millisecond of the event loop. */
export const memoryReclaimExaminedMax = 20_000
/**
 * What a row takes beside its key and its bytes. Measured on Node 20 with 500,000 rows: a row of 106
 * bytes under a key of 10 takes 246 bytes of heap and 106 outside it; malloc's own share is rounded up.
 */
export const memoryRowOverheadBytes = 300
/** Rows of a scan's first page, whose bytes nobody knows yet. */
export const scanRowsFirst = 16
/** Connections of one daemon: about four per vCPU of the database, divided by daemons. */
export const sqlConnectionsMax = 10
/** How long connecting to a database may take. */
export const sqlConnectTimeoutMs = 5000
/** The server ends a statement after this: no caller waits that long. */
export const sqlStatementTimeoutMs = 60_000
/** A statement nobody waits for any more may take this long before its connection is destroyed. */
export const sqlAbandonedStatementMsMax = 5000
/** Tries of a statement that a database asked to repeat, or whose answer was lost. */
export const sqlTriesMax = 5
/** Backs off by full jitter below 10, 20, 40 … ms. */
export const sqlBackoffBaseMs = 10
/** Rows deleted by one reclaiming statement. */
export const sqlReclaimedRowsMax = 1000
/** Batches forgotten by one statement. */
export const forgottenBatchesMax = 10_000
/** Longer than any statement may take: the lease is renewed before each. */
export const migrationLeaseMs = 120_000
/** Pause between two looks at another daemon that migrates. */
export const migrationLeasePollMs = 100
/** The least that is of any use; below it a slip such as `max_bytes=1024` is likelier. */
export const memoryTierBytesMin = mebi
/** Requests may ask for any subset of features: what was compiled for rare ones is not kept for ever. */
export const decodersPerViewMax = 256
/** How long one look for newer definitions, models or expired rows may take. */
export const pollTimeoutMs = 5000

/** A model file: bytes, trees, nodes over all trees, columns. */
export const modelFileBytesMax = 512 * mebi
export const modelTreesMax = 100_000
export const modelNodesMax = 50_000_000
export const modelFeaturesMax = 65_536
/** Files in the folder of one version, and how deep they may lie: each is looked at in every poll. */
export const modelFolderFilesMax = 256
export const modelFolderDepthMax = 4
/** Test vectors of one version, and bytes of their file: they are scored at every load. */
export const testVectorsMax = 1000
export const testVectorsBytesMax = 4 * mebi
/** How long a model's test vectors or warm-up may take before it is refused. */
export const modelCheckTimeoutMs = 30_000
/** Bytes of a weights file: reading 1 MiB takes about a second, and is a linear model of 50,000 weights. */
export const weightsBytesMax = 2 * mebi
/** Threads that run ONNX models: each holds an instance of every model that it ran. */
export const onnxWorkersMax = 4
/** Rows that one run of an ONNX model takes; larger batches are cut, always alike. */
export const onnxRunRowsMax = 256
/** Runs that a worker has at once: while one is computed the next already lies there. */
export const onnxRunsPerWorkerMax = 2
/** Runs and bytes of rows that wait for a worker. */
export const onnxWaitingRunsMax = 1024
export const onnxWaitingBytesMax = 256 * mebi
/** Buffers of a model that are kept for its next runs. */
export const onnxSpareBuffersMax = 4
/** A run that takes longer is given up with its worker: it cannot be interrupted, and no caller waits. */
export const onnxRunMsMax = 10_000
/** As long may starting a worker and opening a model in it take. */
export const onnxOpenMsMax = 60_000
/** Workers that were given up and still run: each takes a core. */
export const onnxLostWorkersMax = 2
/** How deep graphs of an ONNX model may nest in operators. */
export const onnxNestingMax = 32

/** Bytes of a composite model's graph: 1 MiB of YAML takes about a second to read. */
export const graphBytesMax = 1 * mebi
/** Nodes of a graph, inputs included; published ones have some hundred. */
export const graphNodesMax = 2048
/** Operands of all of a graph's nodes together. */
export const graphOperandsMax = 32_768
/** Numbers of all the one-hot vectors that dot and cosine_similarity read: a block of rows holds them. */
export const graphOneHotCellsMax = 16_384
/** Steps of a nanosecond or so that one row may take at its worst: rows are not interrupted. */
export const graphRowStepsMax = 10_000_000

assert(entityKeyBytesMax + 16 < 1978, 'an entity key and its generation fit an LMDB key')
assert(hotRawKeyBytesMax < entityKeyBytesMax, 'some keys are short enough to stay raw')
assert(valueBytesMax < rowBytesMax, 'a row holds at least one longest value')
assert(rowBytesMax <= sqlStatementBytesMax, 'a row fits a statement')
assert(expectedEntitiesMax / rowsPerBucketTarget < 2 ** 32, "a bucket's number is a u32")
assert(leaseRenewMs * 2 < leaseMs, 'a lease survives one failed renewal')
assert(registryPollMs < 1000, 'a new registry version is taken up within a second')
assert(modelQuietMs < modelPollMs, 'what two polls found the same is taken')
assert(rowBytesMax < messageBytesMax, 'a row fits a message')
assert(fillAgeMsMax <= maxStalenessMs.realtime, 'a fill never outlives what may be stale')
