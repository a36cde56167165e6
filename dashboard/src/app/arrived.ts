import { useLayoutEffect } from "react";

/** The frame that index.html brings goes in the frame in which ours is there. */
export const useArrived = () =>
  useLayoutEffect(() => document.getElementById("frame")?.remove(), []);
