import {
  Bot,
  Brain,
  Feather,
  Globe,
  ImageIcon,
  Infinity as Always,
  ScrollText,
  SlidersHorizontal,
  type LucideIcon,
} from "lucide-react";

export const typeIcons: Record<string, LucideIcon> = {
  custom: SlidersHorizontal,
  image: ImageIcon,
  longContext: ScrollText,
  subagent: Bot,
  background: Feather,
  webSearch: Globe,
  think: Brain,
  default: Always,
};
export const iconOf = (type: string) => typeIcons[type] ?? SlidersHorizontal;
