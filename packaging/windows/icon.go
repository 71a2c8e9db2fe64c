package windows

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// iconSizes are the widths in pixels that Windows asks for: lists, task bar, tiles.
var iconSizes = []int{16, 32, 48, 256}

// Icon draws the icon of both programs, frames that flow together into an arrow, as an ico file.
func Icon() ([]byte, error) {
	var pictures [][]byte
	for _, size := range iconSizes {
		var b bytes.Buffer
		if err := png.Encode(&b, draw(size)); err != nil {
			return nil, fmt.Errorf("draw icon: %w", err)
		}
		pictures = append(pictures, b.Bytes())
	}
	const header, entry = 6, 16
	ico := binary.LittleEndian.AppendUint16(nil, 0)
	ico = binary.LittleEndian.AppendUint16(ico, 1) // an icon, no cursor
	ico = binary.LittleEndian.AppendUint16(ico, uint16(len(pictures)))
	offset := header + entry*len(pictures)
	for i, picture := range pictures {
		side := byte(iconSizes[i]) // 256 is written as 0
		ico = append(ico, side, side, 0, 0)
		ico = binary.LittleEndian.AppendUint16(ico, 1)  // planes
		ico = binary.LittleEndian.AppendUint16(ico, 32) // bits per pixel
		ico = binary.LittleEndian.AppendUint32(ico, uint32(len(picture)))
		ico = binary.LittleEndian.AppendUint32(ico, uint32(offset))
		offset += len(picture)
	}
	return append(ico, bytes.Join(pictures, nil)...), nil
}

// draw takes the mean of several points per pixel, so that edges are smooth.
func draw(size int) image.Image {
	const points = 4
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			var inside, white int
			for p := range points * points {
				at := func(pixel, n int) float64 {
					return (float64(pixel) + (float64(n)+0.5)/points) / float64(size)
				}
				u, v := at(x, p%points), at(y, p/points)
				if tile(u, v) {
					inside++
					if figure(u, v) {
						white++
					}
				}
			}
			if inside == 0 {
				continue
			}
			mix := func(back int) uint8 { return uint8((back*(inside-white) + 255*white) / inside) }
			m.SetNRGBA(x, y, color.NRGBA{mix(0x12), mix(0x4f), mix(0x8c), uint8(255 * inside / (points * points))})
		}
	}
	return m
}

// tile is a square with round corners; the picture goes from 0 to 1 in both directions.
func tile(u, v float64) bool {
	const edge, radius = 0.02, 0.18
	du := max(edge+radius-u, u-(1-edge-radius), 0)
	dv := max(edge+radius-v, v-(1-edge-radius), 0)
	return du*du+dv*dv <= radius*radius
}

// figure is what is white: three bars of different length, and an arrow head.
func figure(u, v float64) bool {
	for i, from := range []float64{0.22, 0.14, 0.22} {
		middle := 0.3 + 0.2*float64(i)
		if u >= from && u <= 0.58 && v >= middle-0.06 && v <= middle+0.06 {
			return true
		}
	}
	away := max(v-0.5, 0.5-v)
	return u >= 0.58 && u <= 0.88 && away <= (0.88-u)*1.2
}
