-- Makes plain HTML of the Quarto syntax in this project's documents, so that their pages are the
-- same whether Quarto or Pandoc alone renders them; after common.lua, which numbers:
--   ![caption](figures/x.svg){#fig-x fig-alt="…"}   a figure, the SVG itself in the page
--   ::: {.callout-note title="…" collapse="true"}   notes, folded where they collapse
--   ::: {.panel-tabset}                             sections that the page's script turns into tabs
--   [text](tables/x.csv){.download}                 carries the file inside the page

local TYPES = {
  csv = "text/csv", json = "application/json", svg = "image/svg+xml", png = "image/png",
  jpg = "image/jpeg", jpeg = "image/jpeg", gif = "image/gif", webp = "image/webp",
}
local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local tabsets = 0

-- Quarto goes on after a Lua error, and makes a page with the fault in it.
local function fail(message)
  io.stderr:write(message, "\n")
  os.exit(1)
end

local function html(text) return pandoc.RawBlock("html", text) end

-- Inlines between two tags.
local function within(open, inlines, close)
  local inside = pandoc.Inlines({ pandoc.RawInline("html", open) })
  inside:extend(inlines)
  inside:insert(pandoc.RawInline("html", close))
  return pandoc.Plain(inside)
end

local function escaped(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

local function attribute(name, value)
  return value ~= "" and (' %s="%s"'):format(name, escaped(value)) or ""
end

-- Files -------------------------------------------------------------------------------------------

local function content(path, what)
  local file = io.open(path, "rb")
  if not file then
    fail(("%s: the file of %s was not found; put it beside the document, under that path"):format(
      path, what))
  end
  local bytes = file:read("a")
  file:close()
  return bytes
end

-- Pandoc has a function for this from 3.7.1 on; the Pandoc in older Quartos has none.
local function base64(bytes)
  local parts = {}
  for first = 1, #bytes, 3 do
    local a, b, c = bytes:byte(first, first + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    local group = {}
    for place = 0, 3 do
      local digit = (bits >> (18 - 6 * place) & 63) + 1
      group[place + 1] = DIGITS:sub(digit, digit)
    end
    if not b then group[3] = "=" end
    if not c then group[4] = "=" end
    parts[#parts + 1] = table.concat(group)
  end
  return table.concat(parts)
end

local function carried(path, what)
  local kind = TYPES[path:match("%.(%w+)$")] or "text/plain"
  return ("data:%s;base64,%s"):format(kind, base64(content(path, what)))
end

local function download(link)
  if not link.classes:includes("download") then return nil end
  link.attributes.download = pandoc.path.filename(link.target)
  link.target = carried(link.target, "a download link")
  return link
end

-- The words for who does not see an image are those of `fig-alt`, or else its caption.
local function alternative(image)
  return image.attributes["fig-alt"] or pandoc.utils.stringify(image.caption)
end

-- SVG becomes part of the page, where its colours follow it; ids are unique within their file only.
local function drawing(image, prefix)
  local svg = content(image.src, "an image"):match("<svg.*>")
  if not svg then fail(("%s: expected SVG, found no <svg> in it"):format(image.src)) end
  svg = svg:gsub("<title>.-</title>%s*", "", 1) -- browsers would show it over the whole figure
  svg = svg:gsub("<[^<>]+>", function(tag)
    tag = tag:gsub('(%sid=")', "%1" .. prefix):gsub('xlink:(href="#)', "%1" .. prefix)
    return (tag:gsub("(url%(#)", "%1" .. prefix))
  end)
  local label = attribute("aria-label", alternative(image))
  return pandoc.RawInline("html", (svg:gsub("^<svg", '<svg role="img"' .. label, 1)))
end

local images = 0

local function image(element)
  images = images + 1
  if element.src:match("%.svg$") then return drawing(element, ("image-%d-"):format(images)) end
  if element.src:match("^data:") then return nil end
  element.attributes.alt = alternative(element)
  element.attributes["fig-alt"] = nil
  element.src = carried(element.src, "an image")
  return element
end

-- Figures, tables, equations ------------------------------------------------------------------------

local function caption_of(element)
  local inlines = pandoc.utils.blocks_to_inlines(element.caption.long)
  element.caption.long = {}
  return #inlines > 0 and { within("<figcaption>", inlines, "</figcaption>") } or {}
end

-- As HTML, for Quarto would number figures and tables that it knows for such once more.
local function framed(class, label, ...)
  local blocks = pandoc.Blocks({
    html(("<figure%s%s>"):format(attribute("id", label), attribute("class", class))) })
  for _, part in ipairs({ ... }) do blocks:extend(part) end
  blocks:insert(html("</figure>"))
  return blocks
end

local function figure(element)
  local caption = caption_of(element)
  return framed("", element.identifier, element.content, caption)
end

-- A long name breaks where its parts meet: between factors, and before a level.
local function breakable(str)
  local parts = pandoc.Inlines({})
  for part in str.text:gsub("%f[:%[][:%[]", { [":"] = ":\0", ["["] = "\0[" }):gmatch("%Z+") do
    if #parts > 0 then parts:insert(pandoc.RawInline("html", "<wbr>")) end
    parts:insert(pandoc.Str(part))
  end
  return #parts > 1 and parts or nil
end

-- What may be wider than a phone scrolls in a container of its own, which the keyboard can reach.
local function table_(element)
  local region = ('<div class="table-scroll" tabindex="0" role="region"%s>'):format(
    attribute("aria-label", element.attributes.numbered or "Table"))
  local label, caption = element.identifier, caption_of(element)
  element.identifier, element.attributes = "", {}
  -- Long lines in a pipe table would fix the columns at shares of the page, numbers and all.
  element.colspecs = element.colspecs:map(function(spec) return { spec[1], nil } end)
  element = element:walk({ Str = breakable })
  return framed("table", label, caption, { html(region), element, html("</div>") })
end

local function equation(span)
  if not span.classes:includes("equation") then return nil end
  local numbered = span.attributes.numbered
  local shown = pandoc.Span(span.content, pandoc.Attr("", { "display" },
    { { "tabindex", "0" }, { "role", "group" }, { "aria-label", numbered or "Equation" } }))
  if not numbered then return shown end
  local number = pandoc.Span(("(%s)"):format(numbered:match("%d+")), { class = "equation-number" })
  return pandoc.Span({ shown, number }, pandoc.Attr(span.identifier, { "equation" }))
end

-- Notes and tabs ------------------------------------------------------------------------------------

local function callout(div)
  local class = div.classes:find_if(function(class) return class:match("^callout%-%l+$") end)
  if not class then return nil end
  local kind = class:match("%l+$")
  local title = div.attributes.title or kind:sub(1, 1):upper() .. kind:sub(2)
  title = pandoc.utils.blocks_to_inlines(pandoc.read(title, "markdown").blocks)
  local folded, id = div.attributes.collapse, attribute("id", div.identifier)
  local open = '<div%s class="callout %s" role="note"><p class="callout-title">'
  local between, close = "</p>", "</div>"
  if folded then
    open = '<details%s class="callout %s"' .. (folded == "false" and " open" or "") .. "><summary>"
    between, close = "</summary>", "</details>"
  end
  local blocks = pandoc.Blocks({ within(open:format(id, kind), title, between) })
  blocks:extend(div.content)
  blocks:insert(html(close))
  return blocks
end

local function tabset(div)
  if not div.classes:includes("panel-tabset") then return nil end
  tabsets = tabsets + 1
  local level, panels = nil, 0
  local blocks = pandoc.Blocks({ html(('<div%s class="tabset">'):format(
    attribute("id", div.identifier))) })
  for _, block in ipairs(div.content) do
    if block.t == "Header" and (level == nil or block.level == level) then
      if level then blocks:insert(html("</div>")) end
      level, panels = block.level, panels + 1
      local panel = '<div class="tab-panel" id="tabset-%d-%d"><p class="tab-title">'
      -- Not a heading any more: a tab has no place in the table of contents.
      blocks:insert(within(panel:format(tabsets, panels), block.content, "</p>"))
    elseif level == nil then
      fail(".panel-tabset: content before the first heading; start each tab with a heading")
    else
      blocks:insert(block)
    end
  end
  blocks:insert(html("</div></div>"))
  return blocks
end

function Pandoc(document)
  if not FORMAT:match("^html") then return nil end
  return document:walk({
    Figure = figure,
    Table = table_,
    Image = image,
    Link = download,
    Span = equation,
    Div = function(div) return callout(div) or tabset(div) end,
  })
end
