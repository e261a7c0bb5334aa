-- Makes plain HTML of the Quarto syntax in this project's documents, so that their pages are the
-- same whether Quarto or Pandoc alone renders them:
--   ![caption](figures/x.svg){#fig-x fig-alt="…"}   a numbered figure, the SVG itself in the page
--   : caption {#tbl-x}    $$ … $$ {#eq-x}           numbered tables and equations
--   @fig-x   [@fig-x; -@tbl-x]                      references to them
--   ::: {.callout-note title="…" collapse="true"}   notes, folded where they collapse
--   ::: {.panel-tabset}                             sections that the page's script turns into tabs
--   [text](tables/x.csv){.download}                 carries the file inside the page
--   []{.renderer}                                   names the renderer
--   edited: true                                    in the metadata: the page says so

local NAMES = { fig = "Figure", tbl = "Table", eq = "Equation" }
local TYPES = {
  csv = "text/csv", json = "application/json", svg = "image/svg+xml", png = "image/png",
  jpg = "image/jpeg", jpeg = "image/jpeg", gif = "image/gif", webp = "image/webp",
}
local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local NBSP = "\u{a0}"

local numbers = {} -- label -> number
local counts = { fig = 0, tbl = 0, eq = 0 }
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

-- What has a number, and references to it -----------------------------------------------------------

-- Return "Figure 1" and the like, or nil when the element bears no label of that kind.
local function number(kind, label)
  if label:match("^(%a+)%-") ~= kind then return nil end
  if numbers[label] then fail(("#%s: the label is used twice; give each its own"):format(label)) end
  counts[kind] = counts[kind] + 1
  numbers[label] = counts[kind]
  return NAMES[kind] .. NBSP .. counts[kind]
end

local function captioned(inlines, numbered)
  if numbered then inlines = pandoc.Inlines({ numbered .. ":", pandoc.Space() }) .. inlines end
  return #inlines > 0 and { within("<figcaption>", inlines, "</figcaption>") } or {}
end

-- The label that an inline is, such as {#tbl-means}, of the kind that is asked for.
local function label_in(inline, kind)
  return inline and inline.t == "Str" and inline.text:match("^{#(" .. kind .. "%-[%w_-]+)}$")
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
  local words = pandoc.utils.blocks_to_inlines(element.caption.long)
  local caption = captioned(words, number("fig", element.identifier))
  return framed("", element.identifier, element.content, caption)
end

-- What may be wider than a phone scrolls in a container of its own, which the keyboard can reach.
local function table_(element)
  local words = pandoc.utils.blocks_to_inlines(element.caption.long)
  local label = label_in(words[#words], "tbl") or ""
  for _ = 1, label ~= "" and math.min(#words, 2) or 0 do words:remove() end -- and the blank
  local numbered = number("tbl", label)
  element.caption.long = {}
  -- Long lines in a pipe table would fix the columns at shares of the page, numbers and all.
  element.colspecs = element.colspecs:map(function(spec) return { spec[1], nil } end)
  local region = ('<div class="table-scroll" tabindex="0" role="region"%s>'):format(
    attribute("aria-label", numbered or "Table"))
  return framed("table", label, captioned(words, numbered), { html(region), element, html("</div>") })
end

local function equation(math, numbered)
  return pandoc.Span(math, pandoc.Attr("", { "equation-scroll" },
    { { "tabindex", "0" }, { "role", "group" }, { "aria-label", numbered or "Equation" } }))
end

local function equations(block)
  local inlines, result, at = block.content, pandoc.Inlines({}), 1
  while at <= #inlines do
    local inline, last = inlines[at], at
    if inline.t == "Math" and inline.mathtype == "DisplayMath" then
      local after = at + 1
      if inlines[after] and inlines[after].t == "Space" then after = after + 1 end
      local label = label_in(inlines[after], "eq")
      if label then
        local shown = equation(inline, number("eq", label))
        local beside = pandoc.Span(("(%d)"):format(numbers[label]), pandoc.Attr("", { "equation-number" }))
        inline, last = pandoc.Span({ shown, beside }, pandoc.Attr(label, { "equation" })), after
      else
        inline = equation(inline)
      end
    end
    result:insert(inline)
    at = last + 1
  end
  block.content = result
  return block
end

local function reference(cite)
  local result = pandoc.Inlines({})
  for index, citation in ipairs(cite.citations) do
    local label = citation.id
    local name = NAMES[label:match("^(%a+)%-")]
    if not name and quarto then return nil end -- of what Quarto alone numbers, or a bibliography
    if not numbers[label] then
      fail(("unresolved cross-reference @%s; give a figure, table or equation that label, or "
        .. "correct the reference"):format(label))
    end
    if #citation.prefix > 0 then name = pandoc.utils.stringify(citation.prefix) end
    local text = citation.mode == "SuppressAuthor" and "" or name .. NBSP
    if index > 1 then result:extend({ ",", pandoc.Space() }) end
    result:insert(pandoc.Link(text .. numbers[label], "#" .. label, "", { class = "reference" }))
  end
  return result
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
  -- Rendered by hand, without the project's wrapper, the page still names the program.
  local renderer = document.meta.renderer or (quarto and "Quarto" or "Pandoc")
  if document.meta.edited then
    local words = "The text of this page was edited by hand after twolevel had written it."
    document.blocks:insert(pandoc.Div(pandoc.Para(words), { class = "provenance" }))
  end
  return document
    :walk({ Figure = figure, Table = table_, Para = equations, Plain = equations })
    :walk({
      Cite = reference,
      Image = image,
      Link = download,
      Div = function(div) return callout(div) or tabset(div) end,
      Span = function(span)
        if not span.classes:includes("renderer") then return nil end
        span.content = pandoc.Inlines(pandoc.utils.stringify(renderer))
        return span
      end,
    })
end
