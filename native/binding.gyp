{
  'targets': [
    {
      'target_name': 'larder',
      'sources': [
        '<!@(ls *.cc)',
        '<!@(ls codec/*.cc)',
        '<!@(ls graph/*.cc)',
        '<!@(ls lightgbm/*.cc)',
        '<!@(ls trees/*.cc)',
        '<!@(ls xgboost/*.cc)',
        '../node_modules/lmdb/dependencies/lz4/lib/lz4.c',
      ],
      'include_dirs': [
        '.',
        '../node_modules/node-addon-api',
        '../node_modules/xxhash-addon/xxHash',
        '../node_modules/lmdb/dependencies/lz4/lib',
      ],
      # Any C++ exception becomes a JavaScript one: one that left a call would end the process.
      'defines': [
        'NAPI_VERSION=8',
        'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
        # A worker thread that is terminated can be told nothing any more: else that is an abort.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions'],
      # Without contraction a sum is the same on every machine; nobody reads errno after rounding.
      'cflags_cc': [
        '-std=c++20', '-O3', '-ffp-contract=off', '-fno-math-errno', '-Wall', '-Wextra',
      ],
      'cflags_c': ['-O3'],
      # Calls from one file to another need no look-up then, and can be inlined.
      'cflags': ['-fvisibility=hidden'],
    },
  ],
}
