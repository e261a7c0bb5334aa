-- What every page of the project needs, whether Quarto or Pandoc renders it:
--   [text](tables/x.csv){.download}  carries the file inside the page
--   []{.renderer}                    names the renderer
--   tables                           get columns as wide as their content
--   edited: true                     in the metadata: the page says that its text was edited

local TYPES = { csv = "text/csv", json = "application/json", svg = "image/svg+xml" }
local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

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

local function download(link)
  if not link.classes:includes("download") then return nil end
  local file = io.open(link.target, "rb")
  if not file then
    error(("%s: the file of a download link was not found; put it beside the document, "
      .. "under that path"):format(link.target), 0)
  end
  local bytes = file:read("a")
  file:close()
  local name = pandoc.path.filename(link.target)
  local extension = name:match("%.(%w+)$")
  link.attributes.download = name
  link.target = ("data:%s;base64,%s"):format(TYPES[extension] or "text/plain", base64(bytes))
  return link
end

-- Long lines in a pipe table would fix the columns at shares of the page, numbers and all.
local function free_columns(table)
  table.colspecs = table.colspecs:map(function(spec) return { spec[1], nil } end)
  return table
end

function Pandoc(document)
  -- Rendered by hand, without the project's wrapper, the page still names the program.
  local renderer = document.meta.renderer or (quarto and "Quarto" or "Pandoc")
  if document.meta.edited then
    local words = "The text of this page was edited by hand after twolevel had written it."
    document.blocks:insert(pandoc.Div(pandoc.Para(words), { class = "provenance" }))
  end
  return document:walk({
    Link = download,
    Table = free_columns,
    Span = function(span)
      if not span.classes:includes("renderer") then return nil end
      span.content = pandoc.Inlines(pandoc.utils.stringify(renderer))
      return span
    end,
  })
end
