/**
 * The frame in index.html is painted before the scripts take their time.  A
 * page nobody looks at is not painted: it starts at once.
 */
import "./styles.css";

const start = () => void import("./main");
if (document.hidden) start();
else requestAnimationFrame(() => setTimeout(start));
