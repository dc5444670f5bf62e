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
      'defines': ['NAPI_VERSION=8', 'NAPI_CPP_EXCEPTIONS'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions'],
      # Without contraction a sum is the same on every machine.
      'cflags_cc': ['-std=c++20', '-O3', '-ffp-contract=off', '-Wall', '-Wextra'],
    },
  ],
}
