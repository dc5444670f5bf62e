import { runnerImport } from 'vite'
const { module } = await runnerImport('/work/main/test/support/sim-run.ts', { logLevel: 'error', configFile: false })
for (const [faultShare, hasHot] of [[0.15,true],[0.4,true],[0,true]]) {
  let bad=0
  for (let seed=1000;seed<=1700;seed++){ const p=await module.runSimulation({seed,faultShare,hasHot}); if(p.length) {bad++; if(bad<4) console.log(seed,faultShare,hasHot,p.length,p[0].slice(0,1500))} }
  console.log(faultShare,hasHot,'bad',bad)
}
