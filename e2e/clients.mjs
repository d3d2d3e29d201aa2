// The official JavaScript SDKs with their default addresses, as a program would use them: one answer as JSON.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const [vendor, stream, text] = process.argv.slice(2);
const messages = [{ role: "user", content: text }];

async function openai() {
  const client = new OpenAI({ apiKey: "sim-openai-key" });
  const answer = await client.chat.completions.create({ model: "gpt-4o", messages, stream: stream === "stream" });
  if (stream !== "stream") return answer.choices[0].message.content;
  let whole = "";
  for await (const chunk of answer) whole += chunk.choices[0]?.delta?.content ?? "";
  return whole;
}

async function anthropic() {
  const client = new Anthropic({ apiKey: "sim-anthropic-key" });
  const request = { model: "claude-sonnet-5-5", max_tokens: 1000, messages };
  if (stream !== "stream") return (await client.messages.create(request)).content[0].text;
  return (await client.messages.stream(request).finalMessage()).content[0].text;
}

try {
  console.log(JSON.stringify({ answer: await { openai, anthropic }[vendor]() }));
} catch (error) {
  console.log(JSON.stringify({ status: error.status, message: String(error.message) }));
}
