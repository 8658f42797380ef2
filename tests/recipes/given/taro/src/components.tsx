// Taro's part: a View is a div in a browser.
import type { HTMLAttributes } from "react";

export const View = (props: HTMLAttributes<HTMLDivElement>) => <div {...props} />;
