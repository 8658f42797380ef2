// Taro's part: shows the page.
import { createRoot } from "react-dom/client";
import Chat from "./pages/chat/index";

createRoot(document.getElementById("root")!).render(<Chat />);
