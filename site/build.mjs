// Makes the two files that pages load out of src/.
import { build } from "esbuild";

const common = {
  bundle: true,
  tsconfigRaw: {}, // what checks the types changes nothing of the result
  minify: true,
  target: ["chrome91", "firefox90", "safari15"],
  // Names that stay within the file, unlike options and what tabs say to each other.
  mangleProps: /^(checkPause|failures|flight|heard|isGood|pause|refusals|refuse|rest|steady)$/,
  banner: { js: "/* coze-session 0.1.0, Apache-2.0 */" },
};
const esm = { entryPoints: ["src/index.js"], format: "esm", outfile: "coze-session.js" };
const classic = {
  entryPoints: ["src/classic.js"],
  format: "iife",
  outfile: "coze-session.classic.js",
};
await Promise.all([esm, classic].map((form) => build({ ...common, ...form })));
