{
  'targets': [
    {
      'target_name': 'larder',
      'sources': [
        '<!@(ls *.cc)',
        '<!@(ls codec/*.cc)',
        '<!@(ls lightgbm/*.cc)',
      ],
      'include_dirs': [
        '.',
        '../node_modules/node-addon-api',
        '../node_modules/xxhash-addon/xxHash',
      ],
      # Any C++ exception becomes a JavaScript one: one that left a call would end the process.
      'defines': [
        'NAPI_VERSION=8',
        'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
        # A worker thread that is terminated can be told nothing any more: else that is an abort.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions'],
      # Without contraction a sum is the same on every machine.
      'cflags_cc': ['-std=c++20', '-O3', '-ffp-contract=off', '-Wall', '-Wextra'],
    },
  ],
}
