// Node 20 does not look at HTTPS_PROXY by itself: `node --import ./preload.mjs program.mjs` makes `fetch` do so.
import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici";

setGlobalDispatcher(new EnvHttpProxyAgent());
